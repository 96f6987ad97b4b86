import { describe, expect, test } from 'vitest';
import { DocumentBudget } from '../../src/calls/document-budget.ts';
import { processSlice } from '../../src/slices/process-slice.ts';
import { labelReply, MemoryApp, SMALL, TRIAGE } from '../helpers/memory/memory-app.ts';

/** What a reply of the simulated provider costs at SMALL's price, and at LARGE's. */
const COST = 100 * 150 + 10 * 600;
const DEAR = { inputPerMillion: 1_500_000_000, cachedInputPerMillion: 1_500_000_000, outputPerMillion: 6_000_000_000 };
const LARGE = { ...SMALL, name: 'large', id: 'large-1', price: DEAR };
const CASCADE = [{ model: SMALL, acceptAt: 0.95 }, { model: LARGE }];

/** More than SMALL's bound, less than LARGE's. */
const LIMIT = 400_000;

const appWith = (documentLimit: number, cascade: typeof TRIAGE.cascade = CASCADE) =>
  MemoryApp.open({ ...TRIAGE, cascade, documentLimit });
const run = (app: MemoryApp, batch: string) => processSlice(app.slices, { batch, slice: 0 });

describe('a limit for each document', () => {
  test('keeps the answer that was paid for where the next tier might pass it, with a warning', async () => {
    const app = await appWith(LIMIT);
    app.answer = () => labelReply('bug', 0.5);
    const batch = await app.batchOf(['a']);
    await run(app, batch);
    const [row] = await app.rows(batch);
    expect(row).toMatchObject({ status: 'succeeded', model: 'small', degraded: true, warnings: ['document_budget'] });
    expect(row).toMatchObject({ result: { label: 'bug', confidence: 0.5 } });
    expect(app.requests).toHaveLength(1);
  });

  test('ends a document that has no answer yet with a clear error, and its row has what was paid', async () => {
    const app = await appWith(LIMIT);
    app.answer = () => ({ ...labelReply('bug'), text: 'no label' });
    const batch = await app.batchOf(['a']);
    await run(app, batch);
    const [row] = await app.rows(batch);
    expect(row).toMatchObject({ status: 'failed', error: { code: 'document_budget' } });
    const message = expect.stringMatching(
      /call, to large, may cost .* To continue, raise workflows\.triage\.budget\.document/,
    );
    expect(row).toMatchObject({ error: { message } });
    expect(row?.calls).toBeGreaterThan(0);
    expect(app.requests.every(({ modelId }) => modelId === 'small-1')).toBe(true);
  });

  test('counts what a former owner of the slice has paid, and what is uncertain', async () => {
    const app = await appWith(LIMIT, [{ model: SMALL }]);
    app.answer = () => {
      for (const slice of app.runs) slice.stop({ kind: 'shutdown' });
      return { ...labelReply('bug'), text: 'no label' };
    };
    const batch = await app.batchOf(['a']);
    await run(app, batch);
    const [paid] = (await app.ledger.journal(batch, 0)).values();
    expect(paid?.cost).toBe(COST);
    const budget = new DocumentBudget(COST * 3, [
      ...(await app.ledger.journal(batch, 0)).values(),
      { document: 0, cost: COST },
    ]);
    expect(budget.spent(0)).toBe(COST * 2);
    expect(budget.room(0, COST + 1)).toBeUndefined();
    expect(budget.room(0, COST)).toBeDefined();
  });

  test('a second owner does not spend what the first one has spent', async () => {
    const app = await appWith(LIMIT, [{ model: SMALL }]);
    let stops = true;
    app.answer = () => {
      if (stops) for (const slice of app.runs) slice.stop({ kind: 'shutdown' });
      const usage = { ...labelReply('bug').usage!, inputTokens: 2_600 };
      return { ...labelReply('bug'), text: 'no label', usage };
    };
    const batch = await app.batchOf(['a']);
    await run(app, batch);
    stops = false;
    await run(app, batch);
    expect(app.requests).toHaveLength(1);
    expect(await app.rows(batch)).toMatchObject([{ status: 'failed', error: { code: 'document_budget' } }]);
  });
});

describe('DocumentBudget', () => {
  test('holds what calls under way may cost, gives back what they did not, and wakes who waits', async () => {
    const budget = new DocumentBudget(100);
    const first = budget.room(7, 80);
    expect([budget.room(7, 30), budget.hasHeld(7)]).toEqual([undefined, true]);
    expect(budget.room(8, 100)).toBeDefined();
    const woken = budget.change(7);
    budget.book(7, 20);
    first?.[Symbol.dispose]();
    first?.[Symbol.dispose]();
    await woken;
    expect([budget.spent(7), budget.hasHeld(7)]).toEqual([20, false]);
    expect(budget.room(7, 80)?.hold).toBe(80);
    expect(budget.room(7, 1)).toBeUndefined();
  });
});
