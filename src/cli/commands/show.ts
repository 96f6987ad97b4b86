import type { Command } from 'commander';
import { showDocument } from '../../operations/show-document.ts';
import { documentText } from '../format-document.ts';
import { print, withApp } from '../with-app.ts';

export function addShowCommand(program: Command): void {
  const command = program
    .command('show')
    .description('one document: its text, its answer or error, what was tried and what it cost')
    .argument('<batch>', 'batch id')
    .argument('<document>', 'id of the document')
    .action(async (batchId: string, documentId: string) => {
      await withApp(command, async (app, options) => {
        const shown = await showDocument(app, batchId, documentId);
        print(options, shown, () => documentText(shown));
      });
    });
}
