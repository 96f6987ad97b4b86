import { CallFailedError } from '../../calls/stop.ts';

/** Parts of an eighth: a count that is further off than that is a wrong `contextTokens`, not another tokenizer. */
const SMALLEST_SHARE = 1 / 8;

/**
 * Asks with smaller and smaller parts as long as the provider says that a request is longer than its context: its count
 * of tokens is not ours, and `contextTokens` may be wrong.
 *
 * @param ask gets the share of the usual window that a part may fill: 1, then a half, a quarter, an eighth
 */
export async function splitOnOverflow<T>(ask: (windowShare: number) => Promise<T>): Promise<T> {
  for (let share = 1; ; share /= 2) {
    try {
      return await ask(share);
    } catch (error) {
      const overflow = error instanceof CallFailedError && error.code === 'context_overflow';
      if (!overflow || share <= SMALLEST_SHARE) throw error;
    }
  }
}
