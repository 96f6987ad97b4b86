import { describe, expect, it } from 'vitest';
import { type ComparedRow, compareBatches } from '../../src/evaluation/compare-batches.ts';
import { pairRows } from '../../src/evaluation/pair-rows.ts';

async function* rows<T>(...items: T[]): AsyncGenerator<T> {
  yield* items;
}

const A = { batch: 'night-a', workflow: 'triage', content: 'c1' };
const B = { batch: 'night-b', workflow: 'triage-cheap', content: 'c1' };

const labelled = (id: string, label: string, costUsd: number, durationMs = 100): ComparedRow => ({
  id,
  status: 'succeeded',
  result: { label, confidence: 0.9 },
  model: 'small',
  costUsd,
  durationMs,
});
const failed = (id: string, code: string): ComparedRow => ({ id, status: 'failed', error: { code }, costUsd: 0.01 });

const compare = (a: ComparedRow[], b: ComparedRow[]) => compareBatches([A, B], pairRows(rows(...a), rows(...b)));

describe('compareBatches()', () => {
  it('counts what agrees, names the labels that became others, and sums money over the common documents alone', async () => {
    const compared = await compare(
      [labelled('1', 'bug', 0.1), labelled('2', 'bug', 0.2), labelled('3', 'other', 0.3), labelled('9', 'bug', 5)],
      [labelled('1', 'bug', 0.01), labelled('2', 'billing', 0.02), failed('3', 'truncated'), labelled('8', 'bug', 7)],
    );
    expect(compared.documents).toEqual({ both: 3, onlyA: 1, onlyB: 1 });
    expect(compared.isSameContent).toBe(true);
    expect(compared.batches[0]).toMatchObject({ succeeded: 3, failed: 0, costUsd: 0.6, costPerDocumentUsd: 0.2 });
    expect(compared.batches[1]).toMatchObject({ batch: 'night-b', succeeded: 2, failed: 1, costUsd: 0.04 });
    expect(compared.agreement).toMatchObject({ documents: 2, same: 1, share: 0.5 });
    expect(compared.agreement.interval?.[0]).toBeCloseTo(0.0126, 4);
    expect(compared.changes).toEqual([{ from: 'bug', to: 'billing', documents: 1 }]);
    expect(compared.differing).toBe(2);
    expect(compared.cases).toEqual([
      {
        id: '2',
        a: { answer: 'bug', confidence: 0.9, model: 'small', costUsd: 0.2 },
        b: { answer: 'billing', confidence: 0.9, model: 'small', costUsd: 0.02 },
      },
      {
        id: '3',
        a: { answer: 'other', confidence: 0.9, model: 'small', costUsd: 0.3 },
        b: { answer: null, error: 'truncated', costUsd: 0.01 },
      },
    ]);
  });

  it('says how alike summaries are that differ', async () => {
    const summary = (id: string, text: string): ComparedRow => ({
      id,
      status: 'succeeded',
      result: { summary: text },
      costUsd: 0,
    });
    const compared = await compare(
      [summary('1', 'The invoice is wrong.'), summary('2', 'Rain fell.')],
      [summary('1', 'The invoice is late.'), summary('2', 'Rain fell.')],
    );
    expect(compared.agreement).toMatchObject({ share: 0.5, rougeL: 0.875 });
    expect(compared.cases).toMatchObject([{ id: '1', rougeL: 0.75 }]);
    expect(compared.changes).toEqual([]);
    expect(compared.batches[0]).toMatchObject({ medianMs: null });
  });

  it('latency is that of the common documents', async () => {
    const { batches } = await compare(
      [labelled('1', 'bug', 0, 100), labelled('2', 'bug', 0, 100), labelled('3', 'bug', 0, 10_000)],
      [labelled('1', 'bug', 0, 50), labelled('2', 'bug', 0, 50)],
    );
    expect(batches[0].p95Ms).toBeLessThan(105);
    expect(batches[1].medianMs).toBeLessThan(55);
  });
});

describe('pairRows()', () => {
  it('finds each other row whatever the order, and keeps no more in memory than is out of step', async () => {
    let ahead = 0;
    let most = 0;
    async function* counted(step: number) {
      for (let id = 0; id < 1_000; id++) {
        ahead += step;
        most = Math.max(most, Math.abs(ahead));
        yield { id: `${id}` };
      }
    }
    let both = 0;
    for await (const pair of pairRows(counted(1), counted(-1))) if (pair.kind === 'both') both += 1;
    expect([both, most]).toEqual([1_000, 1]);
    const found: unknown[] = [];
    const letters = (text: string) => rows(...[...text].map((id) => ({ id })));
    for await (const pair of pairRows(letters('abcd'), letters('dxba'))) {
      found.push(pair.kind === 'both' ? pair.a.id : `${pair.kind}:${pair.row.id}`);
    }
    expect(found.toSorted()).toEqual(['a', 'a:c', 'b', 'b:x', 'd']);
  });
});
