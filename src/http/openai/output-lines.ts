import { createHash } from 'node:crypto';
import { usdJson, usdToNano } from '../../money/money.ts';
import type { ErrorRow, ResultRow } from '../../tasks/result-row.ts';

/** A row as it stands in the files of a batch: its money is dollars. */
export type StoredRow = (Omit<ResultRow, 'cost'> | Omit<ErrorRow, 'cost'>) & { readonly costUsd: number };

export interface OutputContext {
  /** Of the OpenAI-shaped batch. */
  readonly batchId: string;
  /** As the line named it: the workflow. */
  readonly model: string;
  /** Seconds since the epoch. */
  readonly createdAt: number;
}

/** The provider's failures, not the request's. */
const SERVER_CODES: ReadonlySet<string> = new Set(['server_error', 'timeout', 'connection_lost', 'invalid_reply']);

/** A row of ours as a line of the output file or the error file, without its line break. */
export function outputLine(row: StoredRow, context: OutputContext): string {
  const mark = createHash('sha256').update(`${context.batchId}\0${row.id}`).digest('hex').slice(0, 24);
  const line = { id: `batch_req_${mark}`, custom_id: row.id };
  const response = (status_code: number, body: object) => ({ status_code, request_id: `req_${mark}`, body });
  if (row.status === 'succeeded') {
    return JSON.stringify({ ...line, response: response(200, completionOf(row, mark, context)), error: null });
  }
  if (row.status === 'expired') {
    const message = 'This request could not be executed before the completion window expired.';
    return JSON.stringify({ ...line, response: null, error: { code: 'batch_expired', message } });
  }
  if (row.status === 'cancelled') {
    const message = 'This request was not executed before the batch was cancelled.';
    return JSON.stringify({ ...line, response: null, error: { code: 'batch_cancelled', message } });
  }
  const { code, message } = row.error;
  const [status, type] = SERVER_CODES.has(code) ? [500, 'server_error'] : [400, 'invalid_request_error'];
  return JSON.stringify({
    ...line,
    response: response(status as number, { error: { message, type, param: null, code } }),
    error: null,
  });
}

type StoredResult = Extract<StoredRow, { status: 'succeeded' }>;

function completionOf(row: StoredResult, mark: string, { model, createdAt }: OutputContext): object {
  const { inputTokens, cachedInputTokens, outputTokens, reasoningTokens } = row.usage;
  return {
    id: `chatcmpl-${mark}`,
    object: 'chat.completion',
    created: createdAt,
    model,
    choices: 'choices' in row.result ? row.result.choices : choicesOf(row.result),
    usage: {
      prompt_tokens: inputTokens,
      completion_tokens: outputTokens,
      total_tokens: inputTokens + outputTokens,
      prompt_tokens_details: { cached_tokens: cachedInputTokens, audio_tokens: 0 },
      completion_tokens_details: {
        reasoning_tokens: reasoningTokens,
        audio_tokens: 0,
        accepted_prediction_tokens: 0,
        rejected_prediction_tokens: 0,
      },
    },
    service_tier: null,
    system_fingerprint: null,
    nightmill: factsOf(row),
  };
}

/** A workflow's answer as a reply. */
function choicesOf(result: object): readonly object[] {
  const message = { role: 'assistant', content: JSON.stringify(result), refusal: null, annotations: [] };
  return [{ index: 0, message, logprobs: null, finish_reason: 'stop' }];
}

/** What our rows say beyond OpenAI's shape; clients ignore fields that they do not know. */
function factsOf(row: StoredResult): object {
  const { model, tier, calls, costUsd, prompt, degraded, fallback, warnings } = row;
  return { model, tier, calls, costUsd: usdJson(usdToNano(costUsd)), prompt, degraded, fallback, warnings };
}
