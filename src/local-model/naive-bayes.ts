import { cachedStemmer } from './porter-stemmer.ts';
import { words } from './words.ts';

const SMOOTHING = 0.3;
const FOLDS = 5;

/** The features of one text: stems, and pairs of neighbouring stems. */
export type LexicalFeatures = readonly string[];

export interface NaiveBayes {
  /** For each feature, how often it occurred under each label where it did. */
  readonly counts: ReadonlyMap<string, ReadonlyMap<number, number>>;
  /** For each label, ln of (all its feature occurrences + smoothing x vocabulary). */
  readonly logTotals: Float64Array;
  /** For each label, ln of its smoothed share of the examples. */
  readonly logPriors: Float64Array;
}

/** A function that turns texts into features; it remembers stems, so use one for many texts. */
export function lexicalFeatureReader(): (text: string) => LexicalFeatures {
  const stem = cachedStemmer();
  return (text) => {
    // Phone and account numbers say "a number" and would otherwise each be a word of their own.
    const stems = words(text).map((word) => (/^\d{4,}$/.test(word) ? '0000' : stem(word)));
    return [...stems, ...stems.slice(1).map((current, i) => `${stems[i]} ${current}`)];
  };
}

/** Multinomial naive Bayes with additive smoothing. */
export function trainNaiveBayes(
  features: readonly LexicalFeatures[],
  labels: readonly number[],
  weights: readonly number[],
  labelCount: number,
): NaiveBayes {
  const counts = new Map<string, Map<number, number>>();
  const totals = new Float64Array(labelCount);
  const shares = new Float64Array(labelCount);
  let weightSum = 0;
  for (const [i, own] of features.entries()) {
    const label = labels[i] ?? 0;
    const weight = weights[i] ?? 1;
    for (const feature of own) {
      let byLabel = counts.get(feature);
      if (byLabel === undefined) {
        byLabel = new Map();
        counts.set(feature, byLabel);
      }
      byLabel.set(label, (byLabel.get(label) ?? 0) + weight);
    }
    totals[label] = (totals[label] ?? 0) + weight * own.length;
    shares[label] = (shares[label] ?? 0) + weight;
    weightSum += weight;
  }
  return {
    counts,
    logTotals: totals.map((total) => Math.log(total + SMOOTHING * (counts.size + 1))),
    logPriors: shares.map((share) => Math.log((share + 1) / (weightSum + labelCount))),
  };
}

/**
 * One score for each label: the log-likelihood divided by the root of the number of features, because the features of
 * a text are far from independent and a long text would else always be certain.
 */
export function naiveBayesScores(model: NaiveBayes, features: LexicalFeatures): Float64Array {
  const scores = model.logPriors.map(
    (prior, label) => prior + features.length * (Math.log(SMOOTHING) - (model.logTotals[label] ?? 0)),
  );
  for (const feature of features) {
    for (const [label, count] of model.counts.get(feature) ?? []) {
      scores[label] = (scores[label] ?? 0) + Math.log1p(count / SMOOTHING);
    }
  }
  const scale = Math.sqrt(Math.max(1, features.length));
  return scores.map((score) => score / scale);
}

/**
 * Scores of every example by a model that did not see it, in five folds. Examples of one label take turns in the
 * folds, so that each fold has its share of every label.
 */
export function heldOutNaiveBayesScores(
  features: readonly LexicalFeatures[],
  labels: readonly number[],
  weights: readonly number[],
  labelCount: number,
): readonly Float64Array[] {
  const seen = new Map<number, number>();
  const folds = labels.map((label) => {
    const turn = seen.get(label) ?? 0;
    seen.set(label, turn + 1);
    return turn % FOLDS;
  });
  const models = Array.from({ length: FOLDS }, (_, fold) => {
    const kept = <T>(items: readonly T[]) => items.filter((_, i) => folds[i] !== fold);
    return trainNaiveBayes(kept(features), kept(labels), kept(weights), labelCount);
  });
  return features.map((own, i) => {
    const model = models[folds[i] ?? 0];
    return model === undefined ? new Float64Array(labelCount) : naiveBayesScores(model, own);
  });
}
