import { EXTRACT_FEATURES, EXTRACT_WEIGHTS, lengthRegime } from './extract-weights.ts';
import { FUNCTION_WORDS } from './function-words.ts';
import { cachedStemmer } from './porter-stemmer.ts';
import { type SparseVector, sentenceVectors } from './sentence-vectors.ts';
import { words } from './words.ts';

const CLAIM =
  /\b(?:we|this (?:paper|work|article)|our \w+)\b.{0,40}\b(?:propose|present|introduce|show|develop|design|demonstrate)/i;
const DECISION = /decid|agree|discuss|conclu|plan|should|need to/i;

export interface RankedSentences {
  /** Higher is better; z-values over the document. */
  readonly scores: readonly number[];
  /** For the similarity of two sentences. */
  readonly vectors: readonly SparseVector[];
}

/** Scores every sentence of one document by 18 features with the fitted weights of its length. */
export function rankSentences(sentences: readonly string[]): RankedSentences {
  const stem = cachedStemmer();
  const tokens = sentences.map(words);
  const stems = tokens.map((own) => own.filter((word) => !FUNCTION_WORDS.has(word)).map(stem));
  const { vectors, centroidSimilarities, masses } = sentenceVectors(stems);
  const densities = masses.map((mass, j) => mass / Math.sqrt(4 + (vectors[j]?.size ?? 0)));
  const zSimilarities = zValues(centroidSimilarities);
  const zMasses = zValues(masses);
  const zDensities = zValues(densities);

  const weights = EXTRACT_WEIGHTS[lengthRegime(sentences.length)];
  const scores = sentences.map((sentence, j) => {
    const wordCount = tokens[j]?.length ?? 0;
    const length = Math.min(wordCount, 50) / 25;
    const features: Record<(typeof EXTRACT_FEATURES)[number], number> = {
      centroidSimilarity: zSimilarities[j] ?? 0,
      mass: zMasses[j] ?? 0,
      density: zDensities[j] ?? 0,
      inversePosition: 1 / (1 + j),
      earlyPosition: Math.max(0, 1 - j / 10),
      relativePosition: j / sentences.length,
      first: j === 0 ? 1 : 0,
      last: j === sentences.length - 1 ? 1 : 0,
      fewWords: wordCount < 6 ? 1 : 0,
      length,
      lengthSquared: length * length,
      digit: /\d/.test(sentence) ? 1 : 0,
      quotation: /["“”]/.test(sentence) ? 1 : 0,
      contentShare: (stems[j]?.length ?? 0) / Math.max(1, wordCount),
      capitalShare: (sentence.match(/(?<![\p{L}\p{N}])\p{Lu}/gu)?.length ?? 0) / Math.max(1, wordCount),
      claim: CLAIM.test(sentence) ? 1 : 0,
      question: sentence.includes('?') ? 1 : 0,
      decision: DECISION.test(sentence) ? 1 : 0,
    };
    return EXTRACT_FEATURES.reduce((sum, name, k) => sum + (weights[k] ?? 0) * features[name], 0);
  });
  return { scores: zValues(scores), vectors };
}

/** (value − mean) / standard deviation; zeros where all values are equal. */
function zValues(values: readonly number[]): readonly number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length);
  const deviation = Math.sqrt(variance);
  return values.map((value) => (deviation > 1e-9 ? (value - mean) / deviation : 0));
}
