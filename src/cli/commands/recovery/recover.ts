import type { Command } from 'commander';
import { usdJson } from '../../../money/money.ts';
import { type Recovered, recover } from '../../../operations/recovery/recover.ts';
import { print, withApp } from '../../with-app.ts';

export function addRecoverCommand(program: Command): void {
  const command = program
    .command('recover')
    .description('after Redis has lost everything: batches, committed work and spending from what the store has')
    .action(async () => {
      await withApp(command, async (app, options) => {
        const recovered = await recover(app);
        const { checkpointAt, lostReplies, ...rest } = recovered;
        const value = {
          ...rest,
          checkpointAt: checkpointAt === undefined ? null : new Date(checkpointAt).toISOString(),
          lostRepliesUsd: usdJson(lostReplies),
        };
        print(options, value, () => recoveredText(recovered));
      });
    });
}

function recoveredText({ lost, checkpointAt, open, ended, unknown }: Recovered): string {
  if (!lost) return 'Redis has lost nothing: it is the one that the last checkpoint in the store is of.\n';
  const from =
    checkpointAt === undefined ? 'no checkpoint' : `the checkpoint of ${new Date(checkpointAt).toISOString()}`;
  const lines = [
    `Recovered from ${from}: ${open.length} open and ${ended} ended batches.`,
    ...open.map(
      ({ batchId, slices, committed }) => `  ${batchId}  ${committed} of ${slices} slices are done; the rest continues`,
    ),
    ...(unknown.length === 0 ? [] : ['What cannot be known:', ...unknown.map((line) => `  ${line}`)]),
  ];
  return `${lines.join('\n')}\n`;
}
