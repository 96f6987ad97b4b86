import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DocumentSource } from '../../src/documents/document-source.ts';
import { sampleSource } from '../../src/documents/sample-source.ts';
import { type PlanOptions, planBatch, planEach } from '../../src/plans/plan-batch.ts';
import { limitCover } from '../../src/plans/plan-limits.ts';
import type { ModelSpec } from '../../src/workflows/workflow.ts';
import { SMALL, TRIAGE } from '../helpers/memory/memory-app.ts';
import { makeTemporaryFolder } from '../helpers/temporary-folder.ts';

const OPTIONS = { maxLineBytes: 1_000_000, throughput: [{ limits: {}, callsPerMinute: 60 }] };

async function planOf(texts: readonly string[], workflow = TRIAGE, options: Partial<PlanOptions> = {}) {
  await using folder = await makeTemporaryFolder();
  const path = join(folder.path, 'docs.jsonl');
  await writeFile(path, texts.map((text, index) => `${JSON.stringify({ id: `d${index}`, text })}\n`).join(''));
  return await planBatch([{ kind: 'path', path }], workflow, { ...OPTIONS, ...options });
}

describe('a plan', () => {
  it('names the ten dearest documents, the dearest first, and the share of instructions', async () => {
    const plan = await planOf(Array.from({ length: 14 }, (_, index) => 'word '.repeat(index + 1)));
    expect(plan.dearest.map(({ id }) => id)).toEqual(['d13', 'd12', 'd11', 'd10', 'd9', 'd8', 'd7', 'd6', 'd5', 'd4']);
    expect(plan.instructionsShare).toBeGreaterThan(0.8);
    expect(plan.instructionsShare).toBeLessThan(1);
    expect(plan.unpriced).toEqual([]);
  });

  it('says which models have no price, and plans with stand-ins', async () => {
    const { price: _, ...spare } = { ...SMALL, name: 'spare' };
    const plan = await planOf(['a'], { ...TRIAGE, cascade: [{ model: SMALL, fallbacks: [spare] }] });
    expect(plan.unpriced).toEqual(['spare']);
    expect(limitCover(plan, 1_000_000_000)).toEqual({ kind: 'unknown' });
  });

  it('says how many documents are expected to cost more than one may, and plans with the limit', async () => {
    const texts = ['short', 'word '.repeat(3_000)];
    const free = await planOf(texts);
    expect(free.beyondLimit).toBeUndefined();
    const [dear, cheap] = free.dearest.map(({ cost }) => cost);
    const limit = (cheap as number) + 1;
    const plan = await planOf(texts, { ...TRIAGE, documentLimit: limit });
    expect(plan.beyondLimit).toEqual({ documents: 1, limit });
    expect(plan.cost.expected).toBe(free.cost.expected - (dear as number) + limit);
    expect(plan.cost.worst).toBe(2 * limit);
    expect(plan.dearest[0]?.cost).toBe(dear);
  });

  it('of several workflows is the plan of each, from one reading', async () => {
    const dear: ModelSpec = { ...SMALL, name: 'dear', contextTokens: 1_024 };
    const specs = [TRIAGE, { ...TRIAGE, cascade: [{ model: dear }] }];
    const texts = ['short', 'word '.repeat(3_000)];
    await using folder = await makeTemporaryFolder();
    const path = join(folder.path, 'docs.jsonl');
    await writeFile(path, texts.map((text, index) => `${JSON.stringify({ id: `d${index}`, text })}\n`).join(''));
    const { throughput, ...reading } = OPTIONS;
    const workflows = specs.map((spec) => ({ spec, throughput }));
    const plans = await planEach([{ kind: 'path', path }], workflows, reading);
    expect(plans).toEqual([await planOf(texts, specs[0]), await planOf(texts, specs[1])]);
    expect(plans.map(({ firstTier }) => firstTier.calls)).toEqual([2, expect.toSatisfy((calls) => calls > 4)]);
  });

  it('expects the dearest of several hosts, and the time that they take side by side', async () => {
    const host = (name: string, factor: number): ModelSpec => {
      const { inputPerMillion, outputPerMillion } = SMALL.price ?? { inputPerMillion: 0, outputPerMillion: 0 };
      const input = inputPerMillion * factor;
      const price = {
        inputPerMillion: input,
        cachedInputPerMillion: input,
        outputPerMillion: outputPerMillion * factor,
      };
      return { ...SMALL, name, price };
    };
    const texts = Array.from({ length: 90 }, () => 'a');
    const alone = await planOf(texts, { ...TRIAGE, cascade: [{ model: SMALL }] });
    const cascade = [{ model: SMALL, hosts: [host('dear', 3)], spread: 'quota' as const }];
    const plan = await planOf(texts, { ...TRIAGE, cascade });
    expect(plan.cost.low).toBe(alone.cost.low);
    expect(plan.cost.expected).toBeGreaterThan(alone.cost.expected * 2.9);
    expect(plan.cost.worst).toBeGreaterThan(alone.cost.worst * 2.9);
    const throughput = [60, 120].map((callsPerMinute) => ({ limits: {}, callsPerMinute }));
    expect((await planOf(texts, { ...TRIAGE, cascade }, { throughput })).minutes.low).toBe(0.5);
  });
});

describe('how far a limit reaches', () => {
  const plan = { documents: 10, cost: { low: 50, expected: 100, worst: 400 }, unpriced: [] };

  it('says whether it covers the whole batch, and counts what is spent', () => {
    expect(limitCover(plan, 400)).toEqual({ kind: 'worst' });
    expect(limitCover(plan, 399)).toEqual({ kind: 'expected' });
    expect(limitCover(plan, 400, 301)).toEqual({ kind: 'part', documents: 9 });
    expect(limitCover(plan, 400, 500)).toEqual({ kind: 'part', documents: 0 });
    expect(limitCover({ ...plan, cost: { low: 0, expected: 0, worst: 0 } }, 0)).toEqual({ kind: 'worst' });
  });
});

describe('a sample', () => {
  const source: DocumentSource = {
    names: ['docs.jsonl'],
    fingerprint: async () => 'f',
    async *read() {
      for (let index = 0; index < 10; index++) {
        yield { kind: 'document', source: 'docs.jsonl', document: { id: `d${index}`, text: 'a' } } as const;
      }
    },
  };
  const idsOf = async (count: number) => {
    const entries = await Array.fromAsync(sampleSource(source, 10, count).read({ maxLineBytes: 1_000 }));
    return entries.map((entry) => (entry.kind === 'document' ? entry.document.id : ''));
  };

  it('comes from everywhere in the source, and is never larger than it', async () => {
    expect(await idsOf(1)).toHaveLength(1);
    expect(await idsOf(3)).toEqual(['d2', 'd5', 'd8'].map(() => expect.any(String)));
    expect(await idsOf(10)).toHaveLength(10);
    expect(await idsOf(50)).toHaveLength(10);
  });

  describe('with a route', () => {
    const price = { inputPerMillion: 1_500_000_000, cachedInputPerMillion: 0, outputPerMillion: 6_000_000_000 };
    const LARGE: ModelSpec = { ...SMALL, name: 'large', price };
    const cascade = [{ model: SMALL, acceptAt: 0.5 }, { model: LARGE }];
    const labels = [
      { label: 'plain', description: '' },
      { label: 'hard', description: '' },
    ];
    const byModel = {
      by: 'model',
      tier: { model: SMALL },
      kinds: { labels, examples: [] },
      start: { hard: 'large' },
    } as const;

    it('by rules counts where documents begin, and leaves out the tiers before', async () => {
      const texts = ['one', 'one two', 'one two three'];
      const route = { by: 'rules', rules: [{ tokens: { above: 1 }, start: 'large' }] } as const;
      const plan = await planOf(texts, { ...TRIAGE, cascade, route });
      expect(plan.route).toEqual({
        by: 'rules',
        from: 'documents',
        starts: [
          { tier: 0, model: 'small', documents: 1 },
          { tier: 1, model: 'large', documents: 2 },
        ],
      });
      const [small, large] = await Promise.all(
        [SMALL, LARGE].map(async (model) => (await planOf(texts.slice(1), { ...TRIAGE, cascade: [{ model }] })).cost),
      );
      const first = await planOf(texts.slice(0, 1), { ...TRIAGE, cascade });
      expect(plan.cost.expected).toBe(first.cost.expected + (large?.expected ?? 0));
      expect(plan.cost.low).toBe(first.cost.low + (large?.low ?? 0));
      expect(small?.low).toBeLessThan(large?.low ?? 0);
    });

    it('by a model adds its calls, and knows where documents begin from earlier batches alone', async () => {
      const workflow = { ...TRIAGE, cascade, route: byModel };
      const [plain, plan] = [await planOf(['a', 'b'], { ...TRIAGE, cascade }), await planOf(['a', 'b'], workflow)];
      expect(plan.route).toEqual({ by: 'model', from: 'unknown', starts: [] });
      expect(plan.calls.low).toBe(plain.calls.low + 2);
      expect(plan.cost.low).toBeGreaterThan(plain.cost.low);
      expect(plan.cost.worst).toBeGreaterThan(plain.cost.worst);
      const figures = { answered: 8, byFirstTier: 6, calls: 8, retries: 0, models: {}, starts: { 0: 6, 1: 2 } };
      const history = { configHash: '', batches: 1, documents: 8, cost: 1_000, inputTokens: 8, seconds: 8, figures };
      const known = await planOf(['a', 'b', 'c', 'd'], workflow, { history });
      expect(known.route).toMatchObject({ from: 'history', starts: [{ documents: 3 }, { tier: 1, documents: 1 }] });
      const { price: _, ...unpriced } = { ...SMALL, name: 'tiny' };
      const route = { ...byModel, tier: { model: unpriced } };
      expect((await planOf(['a'], { ...workflow, route })).unpriced).toEqual(['tiny']);
    });
  });
});
