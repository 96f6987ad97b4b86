import type { Command } from 'commander';
import { NightmillError } from '../../errors.ts';
import { FAULT_NAMES } from '../../simulator/options.ts';
import { readSimulatorFlags } from '../../simulator/read-flags.ts';
import { SimulatorOptionsError } from '../../simulator/resolve-options.ts';
import { type RunningSimulator, startSimulator } from '../../simulator/start-simulator.ts';
import { aborted, listenForStop } from '../../worker/stop-signals.ts';
import { announcer, globalOptions } from '../with-app.ts';

/** Needs neither a config nor Redis. */
export function addSimulateCommand(program: Command): void {
  const command = program
    .command('simulate')
    .description('a chat-completions provider that makes up its answers but bills, limits and fails like a real one')
    .option('--options <file>', 'JSON file with models, prices, limits and all of the below; a flag wins over it')
    .option('--port <number>', 'default 0: any free port')
    .option('--host <name>', 'default 127.0.0.1')
    .option('--seed <number>', 'decides answers, latencies and faults; default 1')
    .option('--api-key <key>', 'requests with another key get 401; default: every key is good')
    .option('--bill <file>', 'JSON Lines of every billed call, appended; for nightmill reconcile --bill')
    .option('--truth <file>', 'JSON Lines of {"text", "label"}: the right label of a text')
    .option('--token-counting <how>', 'exact (default), or bytes/4, which is faster')
    .option('--prompt-cache', 'bill a repeated beginning of a prompt at the cached rate')
    .option('--hang-bills', 'bill calls that hang')
    .option('--fault <name=rate...>', `share of calls from 0 to 1, repeatable; ${FAULT_NAMES.join(', ')}`)
    .addHelpText(
      'after',
      `
Prints {"url"} on standard output once it listens, and its totals when SIGINT or SIGTERM has ended it.

Examples:
  $ npx nightmill simulate --port 7100 --bill bill.jsonl
  $ npx nightmill simulate --port 7100 --fault serverError=0.05 --fault slow=0.01

In nightmill.yaml:
  providers: { acme: { kind: openai, baseUrl: "http://127.0.0.1:7100/v1" } }`,
    )
    .action(async () => {
      using stop = listenForStop(() => {});
      await using simulator = await start(flagsOf(command));
      process.stdout.write(`${JSON.stringify({ url: simulator.url })}\n`);
      announcer(globalOptions(command))(`the simulator listens at ${simulator.url}; Ctrl-C ends it.`);
      await aborted(stop.first);
      await simulator.close();
      process.stdout.write(`${JSON.stringify(simulator.totals())}\n`);
    });
}

async function start(flags: readonly string[]): Promise<RunningSimulator> {
  try {
    return await startSimulator(readSimulatorFlags(flags));
  } catch (error) {
    if (error instanceof SimulatorOptionsError) throw new NightmillError('usage', error.message, { cause: error });
    throw error;
  }
}

/** The flags as they were given, without those of the whole program. */
function flagsOf(command: Command): string[] {
  return command.options
    .filter((option) => !option.hidden)
    .flatMap((option) => {
      const value: unknown = command.getOptionValue(option.attributeName());
      if (value === undefined) return [];
      if (value === true) return [`${option.long}`];
      return [value].flat().map((one) => `${option.long}=${one}`);
    });
}
