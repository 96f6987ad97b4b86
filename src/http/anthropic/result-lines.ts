import { createHash } from 'node:crypto';
import type { App } from '../../app.ts';
import type { CompatBatch } from '../../compat/openai-records.ts';
import { readRows } from '../../operations/results.ts';
import { storeKeys } from '../../store/store-keys.ts';
import { splitLines } from '../../text/split-lines.ts';
import { findFile } from '../openai/file-content.ts';
import { readBatchLine } from '../openai/input-lines.ts';
import type { StoredRow } from '../openai/output-lines.ts';
import { servedModels } from '../openai/served-models.ts';

type Succeeded = Extract<StoredRow, { readonly status: 'succeeded' }>;

/** The results of a batch that has ended, one a line, each request once: those that succeeded first. */
export async function* resultLines(app: App, batch: CompatBatch): AsyncGenerator<string, void, undefined> {
  const told = new Set<string>();
  for (const { workflow: model, batchId } of batch.planned?.parts ?? []) {
    if ((await app.batches.get(batchId)) === undefined) continue;
    for (const kind of ['results', 'errors'] as const) {
      for await (const row of readRows(app, batchId, kind) as AsyncIterable<StoredRow>) {
        told.add(batchId);
        yield `${resultLine(row, model, batch.id)}\n`;
      }
    }
  }
  for await (const id of neverAsked(app, batch, told)) {
    yield `${JSON.stringify({ custom_id: id, result: endOf(batch) })}\n`;
  }
}

/** Requests of parts that were never submitted. */
async function* neverAsked(
  app: App,
  batch: CompatBatch,
  told: ReadonlySet<string>,
): AsyncGenerator<string, void, undefined> {
  const asked = new Set(
    (batch.planned?.parts ?? []).filter(({ batchId }) => told.has(batchId)).map(({ workflow }) => workflow),
  );
  const file = await findFile(app, batch.inputFileId);
  const content = file === undefined ? undefined : await app.store.getStream(storeKeys.fileContent(file.id));
  if (content === undefined) return;
  const rules = { endpoint: batch.endpoint, models: servedModels(app.config), maxLineBytes: Number.POSITIVE_INFINITY };
  for await (const lines of splitLines(content, rules.maxLineBytes)) {
    for (const raw of lines) {
      const line = 'bytes' in raw ? readBatchLine(raw.bytes, rules) : undefined;
      if (line !== undefined && 'customId' in line && !asked.has(line.model)) yield line.customId;
    }
  }
}

function endOf({ refused }: CompatBatch): object {
  const [fault] = refused?.faults ?? [];
  return fault === undefined ? { type: 'canceled' } : errored('invalid_request_error', fault.message);
}

function resultLine(row: StoredRow, model: string, batchId: string): string {
  return JSON.stringify({ custom_id: row.id, result: resultOf(row, model, batchId) });
}

/** The provider's failures, not the request's. */
const SERVER_CODES: ReadonlySet<string> = new Set(['server_error', 'timeout', 'connection_lost', 'invalid_reply']);

function resultOf(row: StoredRow, model: string, batchId: string): object {
  if (row.status === 'succeeded') return { type: 'succeeded', message: messageOf(row, model, batchId) };
  if (row.status === 'cancelled') return { type: 'canceled' };
  if (row.status === 'expired') return { type: 'expired' };
  const { code, message } = row.error;
  return errored(SERVER_CODES.has(code) ? 'api_error' : 'invalid_request_error', message);
}

function errored(type: string, message: string): object {
  return { type: 'errored', error: { type: 'error', error: { type, message }, request_id: null } };
}

const STOP_REASONS = { stop: 'end_turn', length: 'max_tokens', content_filter: 'refusal' } as const;

function messageOf(row: Succeeded, model: string, batchId: string): object {
  const { inputTokens, cachedInputTokens, outputTokens } = row.usage;
  const mark = createHash('sha256').update(`${batchId}\0${row.id}`).digest('hex').slice(0, 24);
  const choice = 'choices' in row.result ? row.result.choices[0] : undefined;
  const text =
    choice === undefined ? JSON.stringify(row.result) : (choice.message.content ?? choice.message.refusal ?? '');
  return {
    id: `msg_${mark}`,
    type: 'message',
    role: 'assistant',
    model,
    content: text === '' ? [] : [{ type: 'text', text, citations: null }],
    stop_reason: choice === undefined ? 'end_turn' : STOP_REASONS[choice.finish_reason],
    stop_sequence: null,
    // Anthropic's input tokens are those that no cache had.
    usage: {
      input_tokens: inputTokens - cachedInputTokens,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: cachedInputTokens,
      output_tokens: outputTokens,
    },
  };
}
