import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/calibration/random.ts';
import { evaluate } from '../../src/evaluation/evaluate.ts';
import type { Answered, Golden } from '../../src/evaluation/evaluation.ts';
import { measuredFacts } from '../../src/plans/measured-facts.ts';
import { chooseCandidate } from '../../src/workflows/requirements.ts';
import { evaluationDataPresent, readClassificationSet } from '../helpers/evaluation-data.ts';

interface Simulated {
  readonly name: string;
  /** Probability of a right answer. */
  readonly quality: number;
  readonly costUsd: number;
}

function evaluateSimulated(
  golden: readonly Golden[],
  labels: readonly string[],
  model: Simulated,
  random: () => number,
) {
  const answers = new Map<string, Answered>();
  for (const { id, label = '' } of golden) {
    const others = labels.filter((other) => other !== label);
    const said = random() < model.quality ? label : (others[Math.floor(random() * others.length)] ?? '');
    answers.set(id, { id, status: 'succeeded', label: said, costUsd: model.costUsd, durationMs: 500 + 400 * random() });
  }
  const of = { run: model.name, workflow: 'w', evaluatedAt: '', hashes: {}, sentences: () => [] };
  return evaluate(golden, answers, of);
}

const MODELS: readonly Simulated[] = [
  { name: 'poor', quality: 0.85, costUsd: 0.0001 },
  { name: 'fair', quality: 0.92, costUsd: 0.0005 },
  { name: 'good', quality: 0.97, costUsd: 0.002 },
];
/** The poor one is a point short of it. */
const REQUIRED = 0.86;
const SEEDS = 100;

describe('measuredFacts()', () => {
  const golden = Array.from({ length: 200 }, (_, index) => ({ id: `${index}`, label: index % 2 === 0 ? 'a' : 'b' }));
  const evaluation = evaluateSimulated(
    golden,
    ['a', 'b'],
    { name: 'm', quality: 0.9, costUsd: 0.001 },
    seededRandom(7),
  );

  it('bounds each figure on its bad side', () => {
    const facts = measuredFacts(evaluation, { metric: 'accuracy', alpha: 0.05, seed: 1 });
    expect(facts.quality?.value).toBe(evaluation.metrics['accuracy']);
    expect(facts.quality?.bound).toBeLessThan(facts.quality?.value ?? 0);
    expect(facts.format).toMatchObject({ value: 1 });
    expect(facts.costPerDocument).toEqual({ value: 1_000_000, bound: 1_000_000 });
    expect(facts.p95Seconds?.bound).toBeGreaterThan(facts.p95Seconds?.value ?? 9);
  });

  it('has no bound of the latency of a few documents, and no quality by a metric that was not measured', () => {
    const few = { ...evaluation, items: evaluation.items.slice(0, 20) };
    const facts = measuredFacts(few, { metric: 'rougeL', alpha: 0.05, seed: 1 });
    expect(facts).not.toHaveProperty('quality');
    expect(facts.p95Seconds?.bound).toBeUndefined();
  });

  it('bounds macro-F1 by resampled documents', () => {
    const { quality } = measuredFacts(evaluation, { metric: 'macroF1', alpha: 0.05, seed: 1 });
    expect(quality?.bound).toBeLessThan(quality?.value ?? 0);
    expect(quality?.bound).toBeGreaterThan((quality?.value ?? 0) - 0.1);
  });
});

describe.skipIf(!evaluationDataPresent)('the choice among three models of known quality', () => {
  it.each(['agnews', 'bbc'])('on %s keeps the promise in 95 of 100 runs and is the cheapest in 80', (name) => {
    const { labels, test } = readClassificationSet(name);
    const golden = test.map(({ label }, index) => ({ id: `${index}`, label }));
    const names = labels.map(({ label }) => label);
    let [kept, cheapest] = [0, 0];
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = seededRandom(seed);
      const candidates = MODELS.map((model) => ({
        name: model.name,
        facts: measuredFacts(evaluateSimulated(golden, names, model, random), {
          metric: 'accuracy',
          alpha: 0.05 / MODELS.length,
          seed,
        }),
      }));
      const { chosen } = chooseCandidate({ minQuality: { metric: 'accuracy', value: REQUIRED } }, candidates);
      const quality = MODELS.find((model) => model.name === chosen)?.quality ?? 1;
      if (quality >= REQUIRED) kept += 1;
      if (chosen === 'fair') cheapest += 1;
    }
    expect(kept).toBeGreaterThanOrEqual(95);
    expect(cheapest).toBeGreaterThanOrEqual(80);
  });
});
