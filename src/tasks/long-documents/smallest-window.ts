import { CallFailedError } from '../../calls/stop.ts';

/** Below this a part holds a sentence or two, and a document would take thousands of calls. */
export const MIN_WINDOW_TOKENS = 128;

/** Tokens of a document from which on its halves are usable windows, with what surrounds a part. */
export const MIN_CUT_TOKENS = 4 * MIN_WINDOW_TOKENS;

/** @throws {CallFailedError} `context_overflow`: the prompt alone fills the smallest context of the cascade */
export function smallestUsableWindow(window: number): number {
  if (window >= MIN_WINDOW_TOKENS) return window;
  throw new CallFailedError(
    'context_overflow',
    `The prompt leaves ${Math.max(0, window)} tokens for the document in the smallest context of the cascade; ` +
      `at least ${MIN_WINDOW_TOKENS} are needed. Shorten labels or instructions, or raise contextTokens.`,
  );
}
