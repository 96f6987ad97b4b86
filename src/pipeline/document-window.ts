import { countRequestTokens } from '../domain/estimate.ts';
import { buildModelRequest } from '../domain/model-request.ts';
import type { Prompt } from '../domain/tasks/task.ts';
import type { PaidTiers } from './ask-cascade.ts';

/** Our count of tokens is not every model's: this part of a window stays free. */
const SAFE_SHARE = 0.85;

/** The tiers of a slice are one object, so this is worked out once a slice, not once a document. */
const known = new WeakMap<PaidTiers, Map<string, number>>();

/**
 * Tokens of document text that fit one call of every tier: parts are cut once, for the smallest window, so that all
 * tiers see the same parts.
 *
 * @param step names the prompt
 * @param promptOf the prompt around an empty text
 */
export function documentWindow(tiers: PaidTiers, step: string, promptOf: () => Prompt): number {
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
