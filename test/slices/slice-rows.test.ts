import { expect, it } from 'vitest';
import type { JournalEntry } from '../../src/ledger/journal-entry.ts';
import { NO_USAGE } from '../../src/money/usage.ts';
import { buildRows } from '../../src/slices/slice-rows.ts';

it('buildRows() says in the row what the reader of its document could not read, beside what its calls found', () => {
  const document = { id: 'a', text: 'text', warnings: ['attachments_not_read: 1 (plan.dwg)'] };
  const answer = { result: { summary: 's' }, model: 'm', tier: 0 };
  const call = { document: 0, usage: NO_USAGE, cost: 1, durationMs: 1, warnings: ['prompt_cut'] };
  const rows = buildRows(
    [{ kind: 'document', document, tokens: 1 }],
    [{ kind: 'answered', answer }],
    [call as unknown as JournalEntry],
  );
  expect(rows).toMatchObject([{ warnings: ['attachments_not_read: 1 (plan.dwg)', 'prompt_cut'] }]);
});
