import { scoreLabels } from './label-rule.ts';
import { chance } from './random.ts';

/** What a simulated model knows when it chooses among the values of an enum. */
export interface LabelQuestion {
  readonly labels: readonly string[];
  readonly document: string;
  readonly instructions: string;
  /** The right label where it is known; otherwise the rule decides. */
  readonly truth: string | undefined;
  readonly model: { readonly name: string; readonly accuracy: number };
  readonly seed: number;
  /** Hash of the document: a document is as hard, and as clear, in every request. */
  readonly documentKey: string;
  readonly requestKey: string;
  readonly temperature: number;
}

export interface LabelChoice {
  readonly label: string;
  /** The second best, for log-probabilities; absent with one label. */
  readonly runnerUp: string | undefined;
  /** How sure the model is of `label`, above 0 and below 1; higher for labels that are right. */
  readonly confidence: number;
}

/** Share of documents that a model finds hard or easy on its own; the others are as hard for every model. */
const OWN_OPINION = 0.25;

/**
 * A model of accuracy 0.9 gets the tenth of the documents wrong that is hardest, mostly the same ones as a better
 * model does, and is less sure of them. With a temperature, an unsure answer may fall to the second best, again for
 * every request (`seed` in the body makes requests differ).
 */
export function chooseLabel(question: LabelQuestion): LabelChoice {
  const { seed, documentKey, model } = question;
  const draw = (purpose: string): number => chance(seed, documentKey, purpose);
  const ranked = rankLabels(question);
  const right = question.truth ?? ranked[0] ?? '';
  const others = ranked.filter((label) => label !== right);
  const difficulty = draw(`${model.name} own`) < OWN_OPINION ? draw(`${model.name} difficulty`) : draw('difficulty');
  const spread = draw(`${model.name} confidence`);
  const wrong = others[Math.floor(draw(`${model.name} wrong`) * others.length)];
  const choice: LabelChoice =
    difficulty < model.accuracy || wrong === undefined
      ? { label: right, runnerUp: others[0], confidence: 0.995 - 0.5 * spread ** 2.5 }
      : { label: wrong, runnerUp: right, confidence: 0.35 + 0.55 * spread };
  const doubt = (1 - choice.confidence) * Math.min(1, question.temperature);
  if (choice.runnerUp === undefined || chance(seed, question.requestKey, 'sample') >= doubt) return choice;
  return { label: choice.runnerUp, runnerUp: choice.label, confidence: (1 - choice.confidence) * 0.9 };
}

/** Best first; equal scores in an order fixed by the document. */
function rankLabels(question: LabelQuestion): readonly string[] {
  const scores = scoreLabels(question.labels, question.instructions, question.document);
  return question.labels
    .map((label, index) => ({
      label,
      score: (scores[index] ?? 0) + 0.5 * chance(question.seed, question.documentKey, `tie ${label}`),
    }))
    .sort((a, b) => b.score - a.score)
    .map(({ label }) => label);
}
