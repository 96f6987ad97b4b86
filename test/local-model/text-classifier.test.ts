import { describe, expect, test } from 'vitest';
import { lexicalFamiliarity, vectorFamiliarity } from '../../src/local-model/familiarity.ts';
import {
  heldOutNaiveBayesScores,
  lexicalFeatureReader,
  naiveBayesScores,
  trainNaiveBayes,
} from '../../src/local-model/naive-bayes.ts';
import { fitTemperature, softmax } from '../../src/local-model/temperature.ts';
import {
  trainLexicalClassifier,
  trainVectorClassifier,
  zeroShotClassifier,
} from '../../src/local-model/text-classifier.ts';
import { contrastVectors, normalise } from '../../src/local-model/vectors.ts';

const vector = (...values: number[]) => normalise(Float32Array.from(values));

describe('fitTemperature()', () => {
  test('finds the temperature that the labels were drawn with', () => {
    // Of 1,000 items with scores 1 and 0, 731 are right: e^1 / (e^1 + 1), which is temperature 1.
    const scores = Array.from({ length: 1_000 }, () => Float64Array.of(1, 0));
    const labels = scores.map((_, i) => (i < 731 ? 0 : 1));
    expect(
      fitTemperature(
        scores,
        labels,
        labels.map(() => 1),
      ).temperature,
    ).toBeCloseTo(1, 1);
  });

  test('counts an example of weight 3 as three examples', () => {
    const rows = [Float64Array.of(0.4, 0), Float64Array.of(0.2, 0), Float64Array.of(0, 0.3), Float64Array.of(0.1, 0)];
    const labels = [0, 1, 1, 0];
    const weighted = fitTemperature(rows, labels, [1, 3, 1, 1]).logLoss;
    const even = fitTemperature(rows, labels, [1, 1, 1, 1]).logLoss;
    expect(weighted).toBeGreaterThan(even);
  });

  test('is not certain because a few examples are all right', () => {
    const scores = Array.from({ length: 8 }, () => Float64Array.of(0.5, 0));
    const labels = scores.map(() => 0);
    const { temperature } = fitTemperature(scores, labels, labels);
    const { temperature: learned } = fitTemperature(
      scores,
      labels,
      labels.map(() => 1),
    );
    expect(softmax([0.5, 0], learned)[0]).toBeCloseTo(0.9, 2);
    expect(temperature).toBeGreaterThan(0);
  });
});

describe('naive Bayes', () => {
  const read = lexicalFeatureReader();
  const texts = ['cheap pills now', 'cheap offer now', 'lunch at noon', 'see you at lunch'];
  const labels = [0, 0, 1, 1];

  test('reads stems, pairs of stems, and long numbers as one', () => {
    expect(read('Calling 07912345678 twice')).toEqual(['call', '0000', 'twice', 'call 0000', '0000 twice']);
  });

  test('scores the label whose examples share the words highest, and no label for unknown words', () => {
    const model = trainNaiveBayes(texts.map(read), labels, [1, 1, 1, 1], 2);
    const [spam, ham] = naiveBayesScores(model, read('cheap lunch offer now'));
    expect(spam).toBeGreaterThan(ham!);
    const unknown = naiveBayesScores(model, read('zebra'));
    expect(Math.abs(unknown[0]! - unknown[1]!)).toBeLessThan(0.3);
  });

  test('held-out scores come from models that did not see the example', () => {
    const all = Array.from({ length: 10 }, (_, i) => `unique${String.fromCharCode(97 + i)}`);
    const scores = heldOutNaiveBayesScores(
      all.map(read),
      all.map((_, i) => i % 2),
      all.map(() => 1),
      2,
    );
    // The word of each example occurs nowhere else, so held out it says nothing.
    for (const row of scores) expect(Math.abs(row[0]! - row[1]!)).toBeLessThan(0.6);
  });
});

describe('familiarity', () => {
  test('vectorFamiliarity() turns down a vector that is farther from the examples than nine in ten of them', () => {
    const examples = Array.from({ length: 20 }, (_, i) => vector(1, 0.01 * i, 0));
    const like = vectorFamiliarity(examples);
    expect(like(vector(1, 0.105, 0))).toBe(true);
    expect(like(vector(0, 0, 1))).toBe(false);
  });

  test('with one example every vector is familiar', () => {
    expect(vectorFamiliarity([vector(1, 0)])(vector(0, 1))).toBe(true);
  });

  test('lexicalFamiliarity() turns down a text without known words', () => {
    const like = lexicalFamiliarity(Array.from({ length: 10 }, () => ['card', 'block']));
    expect(like(['card', 'block'])).toBe(true);
    expect(like(['zebra', 'river'])).toBe(false);
  });
});

test('zeroShotClassifier() counts the one similarity that decides between two labels once', () => {
  const similar = vector(0.1, Math.sqrt(0.99));
  const two = zeroShotClassifier([vector(1, 0), vector(-1, 0)])(similar, '');
  expect(two).toMatchObject({ label: 0, confidence: expect.closeTo(1 / (1 + Math.exp(-0.2 / 0.1)), 4) });
  const three = zeroShotClassifier([vector(1, 0), vector(-1, 0), vector(-1, 0)])(similar, '');
  expect(three.confidence).toBeCloseTo(1 / (1 + 2 * Math.exp(-0.2 / 0.07)), 4);
});

describe('trainVectorClassifier()', () => {
  const labelVectors = contrastVectors([vector(1, 0, 0), vector(0, 1, 0)]);
  const examples = Array.from({ length: 16 }, (_, i) => ({ text: `text ${i}`, label: i % 2, weight: 1 }));
  // The examples contradict the descriptions.
  const vectors = examples.map(({ label }, i) => (label === 0 ? vector(0.1 * i, 5, 1) : vector(5, 0.1 * i, 1)));

  test('with fewer than 8 examples answers by the descriptions', () => {
    const trained = trainVectorClassifier(labelVectors, examples.slice(0, 7), vectors.slice(0, 7));
    expect(trained(vector(1, 0, 0), '')).toEqual(zeroShotClassifier(labelVectors)(vector(1, 0, 0), ''));
    expect(trained(vector(1, 0, 0), '').label).toBe(0);
  });

  test('with examples that say otherwise learns from them', () => {
    const answer = trainVectorClassifier(labelVectors, examples, vectors)(vector(1, 0, 0.2), '');
    expect(answer.label).toBe(1);
    expect(answer.confidence).toBeGreaterThan(0.6);
  });

  test('lets the words decide where vectors say nothing and there are 50 examples', () => {
    const same = vector(1, 1, 1);
    const many = Array.from({ length: 60 }, (_, i) => ({
      text: i % 2 === 0 ? 'refund the money' : 'open the door',
      label: i % 2,
      weight: 1,
    }));
    const trained = trainVectorClassifier(
      labelVectors,
      many,
      many.map(() => same),
    );
    expect(trained(same, 'a refund please')).toMatchObject({ label: 0 });
    expect(trained(same, 'the door')).toMatchObject({ label: 1 });
  });
});

test('trainLexicalClassifier() answers by the words of its examples with a confidence below certainty', () => {
  const examples = Array.from({ length: 20 }, (_, i) => ({
    text: i % 2 === 0 ? `refund my order ${i}` : `reset my password ${i}`,
    label: i % 2,
    weight: 1,
  }));
  const answer = trainLexicalClassifier(2, examples)('please reset the password');
  expect(answer.label).toBe(1);
  expect(answer.confidence).toBeGreaterThan(0.7);
  expect(answer.confidence).toBeLessThan(1);
});
