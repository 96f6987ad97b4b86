import { lexicalFamiliarity, vectorFamiliarity } from './familiarity.ts';
import {
  heldOutNaiveBayesScores,
  type LexicalFeatures,
  lexicalFeatureReader,
  naiveBayesScores,
  trainNaiveBayes,
} from './naive-bayes.ts';
import { type RidgeCandidate, ridgeCandidates, ridgeScores } from './ridge-head.ts';
import { type Calibration, fitTemperature, softmax } from './temperature.ts';
import { dot, type Vector } from './vectors.ts';

/** Below this many examples nothing is learned from them: leave-one-out on so few tells nothing. */
export const FEWEST_EXAMPLES = 8;
/** Below this many examples the words have no vote: they were measured to do harm. */
const FEWEST_EXAMPLES_FOR_WORDS = 50;
const ZERO_SHOT_TEMPERATURE = 0.07;
/** The contrast vectors of two labels are opposite, so that one similarity counts in both scores. */
const ZERO_SHOT_TEMPERATURE_OF_TWO = 0.1;
const PRIOR_WEIGHTS: readonly number[] = [0.3, 1];
const LEXICAL_WEIGHTS: readonly number[] = [0, 0.15, 0.3, 0.45, 0.6, 0.8, 1, 1.2];

export interface TrainingExample {
  readonly text: string;
  /** Index of its label. */
  readonly label: number;
  /** Above 0. */
  readonly weight: number;
}

export interface ClassifierAnswer {
  /** Index of the most probable label. */
  readonly label: number;
  /** Calibrated probability that it is right. */
  readonly confidence: number;
  /** Whether the text is like the examples; true where there are none. */
  readonly likeExamples: boolean;
}

/** Answers from a text's vector and its words. */
export type VectorClassifier = (vector: Vector, text: string) => ClassifierAnswer;

/** From the labels' descriptions alone. */
export function zeroShotClassifier(labelVectors: readonly Vector[]): VectorClassifier {
  const temperature = labelVectors.length === 2 ? ZERO_SHOT_TEMPERATURE_OF_TWO : ZERO_SHOT_TEMPERATURE;
  return (vector) => {
    const scores = labelVectors.map((labelVector) => dot(vector, labelVector));
    return { ...mostProbable(softmax(scores, temperature)), likeExamples: true };
  };
}

/**
 * Learns from examples: a ridge head around the zero-shot map, chosen by its leave-one-out log-loss, and a vote of
 * naive Bayes on the words with the weight that serves held-out examples best. Deterministic; an answer depends on
 * nothing but the training set and the text. With fewer than 8 examples it is the zero-shot classifier.
 *
 * @param vectors the examples' vectors, in their order
 */
export function trainVectorClassifier(
  labelVectors: readonly Vector[],
  examples: readonly TrainingExample[],
  vectors: readonly Vector[],
): VectorClassifier {
  if (examples.length < FEWEST_EXAMPLES) return zeroShotClassifier(labelVectors);
  const labels = examples.map((example) => example.label);
  const weights = examples.map((example) => example.weight);

  let chosen: { readonly candidate: RidgeCandidate; readonly calibration: Calibration } | undefined;
  for (const candidate of ridgeCandidates({ vectors, labels, weights, labelVectors }, PRIOR_WEIGHTS)) {
    const calibration = fitTemperature(candidate.looScores, labels, weights);
    if (chosen === undefined || calibration.logLoss < chosen.calibration.logLoss) chosen = { candidate, calibration };
  }
  if (chosen === undefined) throw new RangeError('Cannot train a head: no ridge penalty was tried');
  const head = chosen.candidate.head();
  const headTemperature = chosen.calibration.temperature;
  const like = vectorFamiliarity(vectors);

  if (examples.length < FEWEST_EXAMPLES_FOR_WORDS) {
    return (vector) => ({
      ...mostProbable(softmax(ridgeScores(head, vector), headTemperature)),
      likeExamples: like(vector),
    });
  }
  const read = lexicalFeatureReader();
  const features = examples.map((example) => read(example.text));
  const vote = chooseVote(
    chosen.candidate.looScores.map((scores) => scores.map((score) => score / headTemperature)),
    heldOutNaiveBayesScores(features, labels, weights, labelVectors.length),
    labels,
    weights,
  );
  const bayes = trainNaiveBayes(features, labels, weights, labelVectors.length);
  return (vector, text) => {
    const logits = ridgeScores(head, vector).map((score) => score / headTemperature);
    const combined = vote.weight === 0 ? logits : addVote(logits, naiveBayesScores(bayes, read(text)), vote.weight);
    return { ...mostProbable(softmax(combined, vote.temperature)), likeExamples: like(vector) };
  };
}

/** Naive Bayes alone, for a machine without the sentence encoder. Needs at least one example. */
export function trainLexicalClassifier(
  labelCount: number,
  examples: readonly TrainingExample[],
): (text: string) => ClassifierAnswer {
  const read = lexicalFeatureReader();
  const features: readonly LexicalFeatures[] = examples.map((example) => read(example.text));
  const labels = examples.map((example) => example.label);
  const weights = examples.map((example) => example.weight);
  const { temperature } = fitTemperature(
    heldOutNaiveBayesScores(features, labels, weights, labelCount),
    labels,
    weights,
  );
  const bayes = trainNaiveBayes(features, labels, weights, labelCount);
  const like = lexicalFamiliarity(features);
  return (text) => {
    const own = read(text);
    return { ...mostProbable(softmax(naiveBayesScores(bayes, own), temperature)), likeExamples: like(own) };
  };
}

function chooseVote(
  logits: readonly Float64Array[],
  votes: readonly Float64Array[],
  labels: readonly number[],
  weights: readonly number[],
): { readonly weight: number; readonly temperature: number } {
  let best = { weight: 0, temperature: 1, logLoss: Number.POSITIVE_INFINITY };
  for (const weight of LEXICAL_WEIGHTS) {
    const combined = logits.map((own, i) => addVote(own, votes[i] ?? own, weight));
    const calibration = fitTemperature(combined, labels, weights);
    if (calibration.logLoss < best.logLoss) best = { weight, ...calibration };
  }
  return best;
}

function addVote(logits: Float64Array, votes: Float64Array, weight: number): Float64Array {
  return logits.map((logit, label) => logit + weight * (votes[label] ?? 0));
}

function mostProbable(probabilities: Float64Array): { readonly label: number; readonly confidence: number } {
  let label = 0;
  for (const [i, probability] of probabilities.entries()) if (probability > (probabilities[label] ?? 0)) label = i;
  return { label, confidence: probabilities[label] ?? 0 };
}
