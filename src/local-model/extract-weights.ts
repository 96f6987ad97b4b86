/** How long a document is, in sentences: the weights differ because in a long one position says less. */
export type LengthRegime = 'short' | 'middle' | 'long';

export function lengthRegime(sentences: number): LengthRegime {
  if (sentences < 15) return 'short';
  return sentences < 150 ? 'middle' : 'long';
}

/** Names of the features of one sentence, in the order of the weights. */
export const EXTRACT_FEATURES = [
  'centroidSimilarity',
  'mass',
  'density',
  'inversePosition',
  'earlyPosition',
  'relativePosition',
  'first',
  'last',
  'fewWords',
  'length',
  'lengthSquared',
  'digit',
  'quotation',
  'contentShare',
  'capitalShare',
  'claim',
  'question',
  'decision',
] as const;

/** Weights of a linear ranker that was fitted to news, paper abstracts and meeting transcripts with written summaries. */
export const EXTRACT_WEIGHTS: Readonly<Record<LengthRegime, readonly number[]>> = {
  short: [
    0.0638, 0.0039, -0.0016, 0.0431, 0.0376, 0.0073, 0.0136, -0.0597, -0.0768, 0.3191, -0.1249, -0.0063, -0.0148,
    -0.0883, 0.3154, 0.1376, 0.0661, -0.0014,
  ],
  middle: [
    0.025, 0.026, -0.0059, 0.051, 0.0636, -0.0093, 0.005, -0.0146, -0.0197, 0.1905, -0.082, 0.0105, -0.0239, -0.0848,
    0.0684, 0.0467, -0.0148, -0.0015,
  ],
  long: [
    -0.0016, -0.0079, 0.0157, 0.001, 0.0015, -0.0019, -0.0012, 0.0006, -0.0024, 0.0882, -0.0014, 0.0069, -0.003,
    -0.0172, 0.0113, 0.006, -0.0017, 0.0009,
  ],
};
