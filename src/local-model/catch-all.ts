import type { LabelScope } from './label-scope.ts';
import type { VectorClassifier } from './text-classifier.ts';

const CATCH_ALLS: ReadonlySet<string> = new Set(
  `other, others, all other, all others, everything else, anything else, something else, none, none of these,
  none of the above, none of them, nothing fits, neither, misc, miscellaneous, unknown, unrelated, irrelevant, out of scope,
  oos, off topic, not applicable, n/a, uncategorised, uncategorized, unclassified, catch all, no match, no label`.split(
    /,\s*/,
  ),
);

/** The index of the label that stands for "nothing fits", or undefined: `fallbackLabel`, else the first that is called so. */
export function catchAllLabel(labels: readonly string[], fallbackLabel?: string): number | undefined {
  const index = labels.findIndex((label) =>
    fallbackLabel === undefined
      ? CATCH_ALLS.has(
          label
            .trim()
            .toLowerCase()
            .replace(/[\s_-]+/g, ' '),
        )
      : label === fallbackLabel,
  );
  return index < 0 ? undefined : index;
}

/** Of an answer by bare names: whether a text lies outside all of them is hardly known, so no tier takes it as sure. */
const HARDLY_KNOWN = 0.9;

/**
 * Answers as `classify` does, and less surely: a label that is a bare name, with neither a description nor examples, says too
 * little of what it takes in to tell what lies outside.
 */
export function lessSurely(classify: VectorClassifier): VectorClassifier {
  return (vector, text) => {
    const answer = classify(vector, text);
    return { ...answer, confidence: HARDLY_KNOWN * answer.confidence };
  };
}

/**
 * Answers with the catch-all where no label's scope has the text, else as `classify` does.
 *
 * @param classify its labels are `labels`, indices of all labels
 */
export function withCatchAll(
  classify: VectorClassifier,
  scope: LabelScope,
  { catchAll, labels }: { readonly catchAll: number; readonly labels: readonly number[] },
): VectorClassifier {
  return (vector, text) => {
    const fits = scope(vector, text);
    // A text that nothing fits is unlike the examples; that is no reason to doubt the catch-all.
    if (fits < 0.5) return { label: catchAll, confidence: 1 - fits, likeExamples: true };
    const answer = classify(vector, text);
    const label = labels[answer.label] ?? catchAll;
    if (label === catchAll) return { ...answer, label, confidence: 1 - fits * (1 - answer.confidence) };
    return { ...answer, label, confidence: fits * answer.confidence };
  };
}
