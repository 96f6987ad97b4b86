import type { CheapAnswer } from './pilot-sample.ts';

/**
 * The least share of the strong model that keeps the promise, were every error known, with a threshold
 * for each label. What a calibration loses against it is its regret.
 */
export function hindsightShare(answers: readonly CheapAnswer[], wrong: readonly boolean[], target: number): number {
  const allowed = Math.floor((1 - target) * answers.length + 1e-9);
  // By errors allowed: the most items that can be accepted with the labels so far.
  let most = new Int32Array(allowed + 1);
  for (const label of new Set(answers.map((answer) => answer.label))) {
    const steps = stepsOf(answers, wrong, label).filter(({ errors }) => errors <= allowed);
    const next = new Int32Array(most);
    for (const { count, errors } of steps) {
      for (let budget = errors; budget <= allowed; budget++) {
        next[budget] = Math.max(next[budget] ?? 0, count + (most[budget - errors] ?? 0));
      }
    }
    most = next;
  }
  return 1 - (most[allowed] ?? 0) / Math.max(1, answers.length);
}

/** What each threshold of a label accepts. */
function stepsOf(answers: readonly CheapAnswer[], wrong: readonly boolean[], label: string) {
  const own = [...answers.keys()]
    .filter((item) => answers[item]?.label === label && Number.isFinite(answers[item]?.confidence))
    .sort((a, b) => (answers[b]?.confidence ?? 0) - (answers[a]?.confidence ?? 0));
  const steps: { count: number; errors: number }[] = [];
  let errors = 0;
  for (const [index, item] of own.entries()) {
    if (wrong[item]) errors++;
    const following = own[index + 1];
    if (following !== undefined && answers[following]?.confidence === answers[item]?.confidence) continue;
    steps.push({ count: index + 1, errors });
  }
  return steps;
}
