import type { Command } from 'commander';
import { readEnvironment } from '../../../config/environment.ts';
import { openStore } from '../../adapters/open-store.ts';
import { probeProvider } from '../../adapters/openai-compatible/probe.ts';
import { openApp } from '../../app.ts';
import { type Check, checkEverything } from '../../pipeline/doctor.ts';
import { globalOptions, openLog, print, readConfig } from '../with-app.ts';

const MARKS: Readonly<Record<Check['state'], string>> = { ok: 'ok     ', warning: 'warning', failed: 'FAILED ' };

export function addDoctorCommand(program: Command): void {
  const command = program
    .command('doctor')
    .description('check every dependency and say how to mend what is wrong')
    .action(async () => {
      const options = globalOptions(command);
      const config = readConfig(options);
      const log = openLog(options, config, 'silent');
      const announce = (line: string) => process.stderr.write(`nightmill: ${line}\n`);
      const checks = await checkEverything({
        config,
        openStore: () => openStore(config.store),
        openApp: () => openApp({ config, log, announce, searchPath: readEnvironment().searchPath }),
        probeProvider,
      });
      const failed = checks.filter((check) => check.state === 'failed').length;
      print(options, { ok: failed === 0, checks }, () =>
        [...checks.map(({ name, state, detail }) => `${MARKS[state]}  ${name.padEnd(22)} ${detail}`), ''].join('\n'),
      );
      process.exitCode = failed === 0 ? 0 : 1;
    });
}
