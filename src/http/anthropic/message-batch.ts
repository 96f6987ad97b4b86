import type { App } from '../../app.ts';
import type { CompatBatch } from '../../compat/openai-records.ts';

/** How many requests ended how. */
export interface MessageCounts {
  readonly processing: number;
  readonly succeeded: number;
  readonly errored: number;
  readonly canceled: number;
  readonly expired: number;
}

const NONE: MessageCounts = { processing: 0, succeeded: 0, errored: 0, canceled: 0, expired: 0 };

export function hasEnded({ ended, refused }: CompatBatch): boolean {
  return ended !== undefined || refused !== undefined;
}

/**
 * A batch in Anthropic's shape.
 *
 * @param requests how many it has
 * @param origin of this server, as the client has reached it: its results are asked for there
 */
export async function messageBatch(app: Pick<App, 'batches'>, batch: CompatBatch, origin: string): Promise<object> {
  const { id, createdAt, expiresAt, cancelling } = batch;
  const isOver = hasEnded(batch);
  const endedAt = batch.ended?.at ?? batch.refused?.at;
  return {
    id,
    type: 'message_batch',
    processing_status: isOver ? 'ended' : cancelling === undefined ? 'in_progress' : 'canceling',
    request_counts: await countsOf(app, batch, isOver),
    created_at: time(createdAt),
    expires_at: time(expiresAt),
    ended_at: endedAt === undefined ? null : time(endedAt),
    cancel_initiated_at: cancelling === undefined ? null : time(cancelling.at),
    archived_at: null,
    results_url: isOver ? `${origin}/v1/messages/batches/${id}/results` : null,
  };
}

/** All stand under `processing` until the batch has ended, as its clients know it. */
async function countsOf(app: Pick<App, 'batches'>, batch: CompatBatch, isOver: boolean): Promise<MessageCounts> {
  const total = Number(batch.metadata?.[REQUESTS_KEY] ?? 0);
  if (!isOver) return { ...NONE, processing: total };
  const counts = { ...NONE };
  const add = (name: keyof MessageCounts, count: number) => Object.assign(counts, { [name]: counts[name] + count });
  for (const { batchId, lines } of batch.planned?.parts ?? []) {
    const outcomes = (await app.batches.get(batchId))?.outcomes;
    add('succeeded', outcomes?.succeeded ?? 0);
    add('errored', (outcomes?.failed ?? 0) + (outcomes?.skipped ?? 0));
    add('expired', outcomes?.expired ?? 0);
    add('canceled', outcomes?.cancelled ?? 0);
    if (outcomes === undefined) add('canceled', lines);
  }
  // What was cancelled or refused before it was planned was never asked.
  const told = counts.succeeded + counts.errored + counts.expired + counts.canceled;
  add(batch.refused === undefined ? 'canceled' : 'errored', Math.max(0, total - told));
  return counts;
}

/** In the metadata of the batch, which Anthropic's have not: how many requests it has. */
export const REQUESTS_KEY = 'requests';

function time(at: number): string {
  return new Date(at).toISOString();
}
