import type { Pause } from '../ledger/pause.ts';
import type { NanoUsd } from '../money/money.ts';
import type { BatchStatus, Outlook } from './batch-status.ts';

/** A suggestion leaves so much room above what the rate says: the last documents are often the expensive ones. */
const MARGIN = 1.1;

/**
 * @param usualPerDocument nano-dollars that a document of the workflow usually costs; undefined without history
 * @returns undefined where nothing tells what a document costs, or none is left
 */
export function outlookOf(status: BatchStatus, usualPerDocument: number | undefined): Outlook | undefined {
  const { documents, spent, breaker, begun = 0 } = status;
  const left = documents.total - documents.done;
  const rates = [
    documents.done === 0 ? undefined : Math.max(0, spent - begun) / documents.done,
    usualPerDocument,
  ].filter((rate) => rate !== undefined);
  if (left <= 0 || rates.length === 0) return undefined;
  // The cheap documents are done first, so the present rate says too little where the workflow usually costs more.
  const rate = Math.max(...rates);
  // What is begun is paid for in part.
  const more = Math.max(0, Math.round(rate * left) - begun);
  const pause = breaker.pauses?.find(({ cause, scope }) => cause === 'budget' && scope !== undefined);
  const narrow = narrowOf(status, pause);
  if (narrow === undefined || (pause === undefined && narrow.spent + more <= narrow.limit)) return { more };
  const room = Math.max(0, narrow.limit - narrow.spent);
  const to = Math.max(narrow.spent + more * MARGIN, narrow.spent + (pause?.needed ?? 0), narrow.limit * 1.01);
  return {
    more,
    raise: {
      scope: narrow.scope,
      limit: narrow.limit,
      to: roundUp(to),
      documentsBefore: pause === undefined && rate > 0 ? Math.min(left, Math.floor((room + begun) / rate)) : 0,
    },
  };
}

/** The limit that has paused the batch, else the one that leaves it least. */
function narrowOf(
  { breaker }: BatchStatus,
  pause: Pause | undefined,
): NonNullable<BatchStatus['breaker']['narrowest']> | undefined {
  const scopes = [breaker.narrowest, breaker.tightest].filter((scope) => scope !== undefined);
  return pause === undefined ? breaker.narrowest : scopes.find(({ scope }) => scope === pause.scope);
}

/** Up to two significant digits: `0.1397` is `0.14`. */
function roundUp(nano: number): NanoUsd {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(nano)) - 1);
  return Math.ceil(nano / step) * step;
}
