import type { Command } from 'commander';
import { workflowOf } from '../../../../config/config.ts';
import { type EvaluatedChange, listChanges, type ModelChange } from '../../../operations/evidence/model-changes.ts';
import { print, withApp } from '../../with-app.ts';

export function addChangesCommand(program: Command): void {
  const command = program
    .command('changes')
    .description('every change of a prompt, model, price or cascade, with the evaluations before and after it')
    .option('-w, --workflow <name>', 'of this workflow; default: all')
    .action(async ({ workflow }: { readonly workflow?: string }) => {
      await withApp(command, async (app, options) => {
        if (workflow !== undefined) workflowOf(app.config, workflow);
        const changes = await listChanges(app, workflow);
        print(options, { changes }, () => changesText(changes));
      });
    });
}

function changesText(changes: readonly EvaluatedChange[]): string {
  if (changes.length === 0) return 'No batch was submitted yet, so nothing is known of earlier models and prompts.\n';
  return `${changes.map(entryText).join('\n')}\n`;
}

function entryText(entry: EvaluatedChange): string {
  const { at, workflow, batch, by, config, configBefore, changes, evaluationBefore, evaluationAfter } = entry;
  const title = `${at}  ${workflow}  ${config.slice(0, 12)}  batch ${batch} by ${by}`;
  if (configBefore === null) return `${title}\n  the first batch that is known`;
  return [
    title,
    ...changes.map((change) => `  ${changeText(change)}`),
    `  evaluation   ${figures(evaluationBefore)} -> ${figures(evaluationAfter)}`,
  ].join('\n');
}

function changeText({ what, name, before, after }: ModelChange): string {
  const shorten = (text: string | null) => (text === null ? 'none' : what === 'prompt' ? text.slice(0, 12) : text);
  return `${`${what}${name === undefined ? '' : ` ${name}`}`.padEnd(12)} ${shorten(before)} -> ${shorten(after)}`;
}

function figures(evaluation: EvaluatedChange['evaluationAfter']): string {
  if (evaluation === null) return 'none';
  const [metric, value] = Object.entries(evaluation.metrics)[0] ?? ['', 0];
  return `${metric} ${value.toFixed(4)}, USD ${evaluation.costUsdPerDocument.toFixed(6)} a document (${evaluation.run})`;
}
