import type { Command } from 'commander';
import { listCanaries } from '../../../operations/evidence/canary/canary.ts';
import { type CanaryProbe, troubleOf } from '../../../operations/evidence/canary/canary-record.ts';
import { print, withApp } from '../../with-app.ts';

const SHOWN = 10;

export function addCanaryCommand(program: Command): void {
  const command = program
    .command('canary')
    .description('what providers have said to the questions of their canaries (canary: of a provider in the config)')
    .action(async () => {
      await withApp(command, async (app, options) => {
        const canaries = await listCanaries(app);
        const view = canaries.map(({ provider, probes }) => ({
          provider,
          probes: probes.map(({ at, ...probe }) => ({ at: new Date(at).toISOString(), ...probe })),
        }));
        print(options, { canaries: view }, () =>
          canaries.length === 0
            ? 'No provider of the config has a canary: providers.NAME.canary: { every: 15m }\n'
            : canaries.map(({ provider, probes }) => providerText(provider, probes)).join(''),
        );
      });
    });
}

function providerText(provider: string, probes: readonly CanaryProbe[]): string {
  const shown = probes.slice(0, SHOWN).map((probe) => {
    const { at, model, latencyMs, answers = '', served = '' } = probe;
    const state = troubleOf(probe) ?? 'good';
    return `  ${new Date(at).toISOString()}  ${model}  ${latencyMs} ms  ${state}  ${answers}  ${served}`.trimEnd();
  });
  return `${[provider, ...(shown.length === 0 ? ['  not asked yet'] : shown)].join('\n')}\n`;
}
