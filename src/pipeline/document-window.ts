import { countRequestTokens } from '../domain/estimate.ts';
import { buildModelRequest } from '../domain/model-request.ts';
import type { Prompt } from '../domain/tasks/task.ts';
import type { CascadeContext, PaidTiers } from './ask-cascade.ts';
import { smallestUsableWindow } from './smallest-window.ts';

/** Our count of tokens is not every model's: this part of a window stays free. */
const SAFE_SHARE = 0.85;

/** The tiers of a slice are one object, so this is worked out once a slice, not once a document. */
const known = new WeakMap<PaidTiers, Map<string, number>>();

/**
 * Tokens of document text that one call may have: what fits every tier, so that all tiers see the same parts.
 *
 * @param documentTokens of the whole document
 * @param step names the prompt
 * @param promptOf the prompt around an empty text
 * @throws {CallFailedError} `context_overflow`: the prompt leaves no room
 */
export function documentWindow(
  { tiers, windowShare }: Pick<CascadeContext, 'tiers' | 'windowShare'>,
  documentTokens: number,
  step: string,
  promptOf: () => Prompt,
): number {
  const window = windowOfTiers(tiers, step, promptOf);
  return smallestUsableWindow(windowShare === 1 ? window : Math.floor(Math.min(window, documentTokens) * windowShare));
}

function windowOfTiers(tiers: PaidTiers, step: string, promptOf: () => Prompt): number {
  let windows = known.get(tiers);
  if (windows === undefined) {
    windows = new Map();
    known.set(tiers, windows);
  }
  let window = windows.get(step);
  if (window === undefined) {
    window = smallestWindow(tiers, promptOf());
    windows.set(step, window);
  }
  return window;
}

function smallestWindow(tiers: PaidTiers, prompt: Prompt): number {
  return Math.min(
    ...tiers.map(({ tier: { model } }) => {
      const around = countRequestTokens(buildModelRequest(model, prompt, 'first'));
      const output = Math.min(prompt.outputTokens, model.maxOutputTokens);
      return Math.floor((model.contextTokens - output) * SAFE_SHARE) - around;
    }),
  );
}
