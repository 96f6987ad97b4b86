import type { DocumentSource } from '../../src/documents/document-source.ts';
import { StoreInbox } from '../../src/operations/schedules/store-inbox.ts';
import type { Log } from '../../src/runtime/log.ts';
import type { Schedule } from '../../src/schedules/schedule.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';

export const NIGHTLY: Schedule = {
  workflow: 'triage',
  cron: '0 1 * * *',
  timezone: 'UTC',
  input: '/inbox',
  catchUp: 'latest',
  overlap: 'queue',
  after: 'keep',
};

/** A log that keeps its lines. */
export function keepingLog(): Log & { readonly lines: string[] } {
  const lines: string[] = [];
  const write = (event: string, fields: object = {}) => void lines.push(`${event} ${JSON.stringify(fields)}`);
  return { lines, debug: write, info: write, warn: write, error: write };
}

export function inboxOf(
  store: ObjectStore,
  submit: (batchId: string, source: DocumentSource) => Promise<void>,
  options: { readonly mayGrow?: boolean; readonly prefix?: string } = {},
): StoreInbox {
  return new StoreInbox({
    name: 'inbox',
    store,
    prefix: options.prefix ?? '',
    mayGrow: options.mayGrow ?? false,
    reading: {},
    maxLineBytes: 1_000_000,
    submit,
    close: async () => {},
  });
}

/** The ids of the documents of a source, as submitting reads them. */
export async function idsOf(source: DocumentSource): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const entry of source.read({}))
    ids.push(entry.kind === 'document' ? entry.document.id : `bad ${entry.problem.code}`);
  return ids;
}
