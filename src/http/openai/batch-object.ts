import type { CompatBatch, FileRecord, RequestCounts, TokenCounts } from '../../compat/openai-records.ts';

export type BatchObjectStatus =
  | 'validating'
  | 'failed'
  | 'in_progress'
  | 'finalizing'
  | 'completed'
  | 'expired'
  | 'cancelling'
  | 'cancelled';

/** What a batch has done so far. */
export interface BatchProgress {
  readonly counts: RequestCounts;
  readonly usage: TokenCounts;
}

export function statusOf(batch: CompatBatch): BatchObjectStatus {
  if (batch.refused !== undefined) return 'failed';
  if (batch.ended !== undefined) return batch.ended.ending;
  if (batch.cancelling !== undefined) return 'cancelling';
  if (batch.finalizing !== undefined) return 'finalizing';
  return batch.submitted === undefined ? 'validating' : 'in_progress';
}

/** A batch as OpenAI shows it: every field is there, `null` where there is nothing yet. */
export function batchObject(batch: CompatBatch, { counts, usage }: BatchProgress): object {
  const { refused, ended, planned } = batch;
  const endedAs = (ending: BatchObjectStatus) => (ended?.ending === ending ? seconds(ended.at) : null);
  const models = planned?.parts.map(({ workflow }) => workflow) ?? [];
  return {
    id: batch.id,
    object: 'batch',
    endpoint: batch.endpoint,
    model: models.length === 1 ? models[0] : null,
    errors: refused === undefined ? null : { object: 'list', data: refused.faults },
    input_file_id: batch.inputFileId,
    completion_window: batch.completionWindow,
    status: statusOf(batch),
    output_file_id: ended?.outputFileId ?? null,
    error_file_id: ended?.errorFileId ?? null,
    created_at: seconds(batch.createdAt),
    in_progress_at: seconds(batch.submitted?.at),
    expires_at: seconds(batch.expiresAt),
    finalizing_at: seconds(batch.finalizing?.at),
    completed_at: endedAs('completed'),
    failed_at: seconds(refused?.at),
    expired_at: endedAs('expired'),
    cancelling_at: seconds(batch.cancelling?.at),
    cancelled_at: endedAs('cancelled'),
    request_counts: counts,
    usage: {
      input_tokens: usage.inputTokens,
      input_tokens_details: { cached_tokens: usage.cachedInputTokens },
      output_tokens: usage.outputTokens,
      output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
      total_tokens: usage.inputTokens + usage.outputTokens,
    },
    metadata: batch.metadata,
  };
}

/** A file as OpenAI shows it. */
export function fileObject({ id, bytes, createdAt, expiresAt, filename, purpose }: FileRecord): object {
  return {
    id,
    object: 'file',
    bytes,
    created_at: seconds(createdAt),
    expires_at: seconds(expiresAt),
    filename,
    purpose,
    status: 'processed',
    status_details: null,
  };
}

function seconds(at: number | undefined): number | null {
  return at === undefined ? null : Math.floor(at / 1_000);
}
