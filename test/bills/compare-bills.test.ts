import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findBillColumns } from '../../src/bills/bill-columns.ts';
import { type BillLine, type BillRecord, billRecords, readBillLine } from '../../src/bills/bill-line.ts';
import { BillAdder } from '../../src/bills/bill-sums.ts';
import { type OurUsage, reconcile } from '../../src/bills/compare-bills.ts';
import { NO_USAGE } from '../../src/money/usage.ts';

const NOON = Date.parse('2026-03-01T12:00:00Z');

function booked(more: Partial<OurUsage> = {}): OurUsage {
  return {
    batchId: 'b1',
    model: 'small-2026-01-01',
    fromDay: '2026-03-01',
    toDay: '2026-03-01',
    calls: 2,
    usage: { ...NO_USAGE, inputTokens: 200, outputTokens: 20 },
    cost: 1_000,
    uncertainCalls: 0,
    uncertainCost: 0,
    ...more,
  };
}

function billed(more: Partial<BillLine> = {}): BillLine {
  return {
    model: 'small-2026-01-01',
    at: NOON,
    inputTokens: 100,
    cachedInputTokens: 0,
    outputTokens: 10,
    cost: 500,
    ...more,
  };
}

function billOf(lines: readonly BillLine[]) {
  const adder = new BillAdder();
  for (const line of lines) adder.add(line);
  return adder.totals();
}

const compare = (ours: readonly OurUsage[], lines: readonly BillLine[]) => reconcile(ours, billOf(lines));

describe('reconcile()', () => {
  test('explains books that are equal, by model and by day', () => {
    const result = compare([booked()], [billed(), billed()]);
    expect(result.total.isExplained).toBe(true);
    expect(result.models).toMatchObject([
      {
        name: 'small-2026-01-01',
        ours: { cost: 1_000 },
        theirs: { cost: 1_000, lines: 2 },
        unexplained: 0,
        causes: [],
      },
    ]);
    expect(result.days).toMatchObject([{ name: '2026-03-01', isExplained: true }]);
  });

  test('explains what is more on the bill by uncertain calls, up to what they are booked at', () => {
    const ours = [booked({ uncertainCalls: 1, uncertainCost: 700 })];
    const within = compare(ours, [billed(), billed(), billed()]);
    expect(within.total).toMatchObject({ explained: 500, unexplained: 0, isExplained: true });
    expect(within.models[0]?.causes).toEqual([{ kind: 'uncertain', calls: 1, cost: 500 }]);
    const beyond = compare(ours, [billed(), billed(), billed({ cost: 900 })]);
    expect(beyond.total).toMatchObject({ explained: 700, unexplained: 200, isExplained: false });
    expect(beyond.models[0]?.causes).toEqual([
      { kind: 'uncertain', calls: 1, cost: 700 },
      { kind: 'not_ours', cost: 200 },
    ]);
  });

  test('names a call that nobody booked, one that was not billed, another price and an unknown model', () => {
    const cause = (lines: readonly BillLine[]) => compare([booked()], lines).models.flatMap(({ causes }) => causes);
    expect(cause([billed(), billed(), billed()])).toEqual([{ kind: 'not_ours', cost: 500 }]);
    expect(cause([billed()])).toEqual([{ kind: 'not_billed', cost: -500 }]);
    expect(cause([billed(), billed({ cost: 600 })])).toEqual([{ kind: 'price', cost: 100 }]);
    expect(cause([billed(), billed(), billed({ model: 'other' })])).toEqual([{ kind: 'unknown_model', cost: 500 }]);
  });

  test('does not take an empty bill for an explanation', () => {
    expect(compare([booked()], []).total).toMatchObject({ unexplained: -1_000, isExplained: false });
    expect(compare([], []).total.isExplained).toBe(true);
  });

  test('does not let uncertain calls hide another price: a billed call shows in the tokens, too', () => {
    const ours = [booked({ uncertainCalls: 1, uncertainCost: 700 })];
    const result = compare(ours, [billed(), billed({ cost: 600 })]);
    expect(result.total).toMatchObject({ explained: 0, unexplained: 100, isExplained: false });
    expect(result.models[0]?.causes).toEqual([{ kind: 'price', cost: 100 }]);
  });

  test('does not let one model make up for another', () => {
    const result = compare(
      [booked(), booked({ model: 'large-2026-01-01' })],
      [billed(), billed(), billed(), billed({ model: 'large-2026-01-01' })],
    );
    expect(result.total.theirs.cost - result.total.ours.cost).toBe(0);
    expect(result.total.isExplained).toBe(false);
  });

  test('allows for the rounding of amounts in cents, and no more', () => {
    const cent = 10_000_000;
    const lines = (cost: number) => [billed({ cost, costDecimals: 2 }), billed({ cost, costDecimals: 2 })];
    const ours = [booked({ cost: 2 * cent })];
    expect(compare(ours, lines(cent + cent / 2)).total).toMatchObject({ isExplained: true, rounding: cent });
    expect(compare(ours, lines(cent + cent / 2 + 2)).total).toMatchObject({ isExplained: false });
  });

  test('compares tokens at the price of the config where the bill has no money', () => {
    const price = {
      inputPerMillion: 1_000_000_000,
      cachedInputPerMillion: 500_000_000,
      outputPerMillion: 2_000_000_000,
      longContext: [{ aboveInputTokens: 150, inputPerMillion: 9e9, cachedInputPerMillion: 9e9, outputPerMillion: 9e9 }],
    };
    const { cost: _, ...line } = billed();
    const even = compare([booked({ price })], [line, line]);
    expect(even).toMatchObject({ isPriced: true, total: { isExplained: true, ours: { cost: 240_000 } } });
    const more = compare([booked({ price, uncertainCalls: 1, uncertainCost: 150_000 })], [line, line, line]);
    expect(more.total).toMatchObject({ explained: 120_000, unexplained: 0, isExplained: true });
    expect(compare([booked({ price })], [line, line, line]).total).toMatchObject({
      unexplained: 120_000,
      isExplained: false,
    });
  });

  test('finds our model behind a display name, and behind a name with or without its date', () => {
    const ours = [booked({ model: 'claude-haiku-4-5-20251001' }), booked({ model: 'claude-opus-4-5-20251101' })];
    const lines = [billed({ model: 'Claude Haiku 4.5' }), billed({ model: 'claude-opus-4-5-20251101' })];
    expect(compare(ours, lines).models.map(({ name, theirs }) => [name, theirs.lines])).toEqual([
      ['claude-haiku-4-5-20251001', 1],
      ['claude-opus-4-5-20251101', 1],
    ]);
    const other = compare([booked({ model: 'gpt-4o-2024-08-06' })], [billed({ model: 'gpt-4o-2024-11-20' })]);
    expect(other.models).toHaveLength(2);
  });

  test('compares batches that overlap in days over all their days together, other days alone', () => {
    const ours = [
      booked({ toDay: '2026-03-02' }),
      booked({ batchId: 'b2', fromDay: '2026-03-02', toDay: '2026-03-03' }),
    ];
    const lines = [1, 2, 3, 5].map((day) => billed({ at: NOON + (day - 1) * 86_400_000 }));
    expect(compare(ours, lines).days.map(({ name, theirs }) => [name, theirs.lines])).toEqual([
      ['2026-03-01..2026-03-03', 3],
      ['2026-03-05', 1],
    ]);
    const { at: _, ...timeless } = billed();
    expect(compare(ours, [timeless]).days).toEqual([]);
  });

  test('counts lines for a request that the bill had before', () => {
    const result = compare(
      [booked()],
      [billed({ request: 'r1' }), billed({ request: 'r2' }), billed({ request: 'r1' })],
    );
    expect(result.repeated).toEqual({ lines: 1, cost: 500 });
  });

  test('keeps every sum: models and days add up to the bill and the books, and difference = explained + rounding + unexplained', () => {
    const model = fc.constantFrom('small-2026-01-01', 'large-2026-01-01', 'other');
    const day = fc.integer({ min: 1, max: 5 });
    const money = fc.integer({ min: 0, max: 1_000_000 });
    const ours = fc.record({ model, from: day, length: fc.integer({ min: 0, max: 2 }), cost: money, uncertain: money });
    const theirs = fc.record({ model, day, cost: money, tokens: fc.integer({ min: 0, max: 1_000 }) });
    const dayName = (number: number) => `2026-03-0${number}`;
    fc.assert(
      fc.property(fc.array(ours, { maxLength: 8 }), fc.array(theirs, { maxLength: 20 }), (books, lines) => {
        const result = compare(
          books.map((entry) =>
            booked({
              model: entry.model,
              fromDay: dayName(entry.from),
              toDay: dayName(entry.from + entry.length),
              cost: entry.cost,
              uncertainCalls: entry.uncertain > 0 ? 1 : 0,
              uncertainCost: entry.uncertain,
            }),
          ),
          lines.map((line) =>
            billed({
              model: line.model,
              at: NOON + (line.day - 1) * 86_400_000,
              cost: line.cost,
              inputTokens: line.tokens,
            }),
          ),
        );
        const booksCost = books.reduce((sum, entry) => sum + entry.cost, 0);
        const billCost = lines.reduce((sum, line) => sum + line.cost, 0);
        for (const parts of [result.models, result.days, [result.total]]) {
          expect(parts.reduce((sum, part) => sum + part.ours.cost, 0)).toBe(booksCost);
          expect(parts.reduce((sum, part) => sum + part.theirs.cost, 0)).toBe(billCost);
          expect(parts.reduce((sum, part) => sum + part.ours.uncertainCalls, 0)).toBe(result.total.ours.uncertainCalls);
        }
        for (const part of [...result.models, ...result.days, result.total]) {
          expect(part.explained + part.rounding + part.unexplained).toBe(part.theirs.cost - part.ours.cost);
          expect(part.explained).toBeGreaterThanOrEqual(0);
          expect(part.explained).toBeLessThanOrEqual(part.ours.uncertainCost);
          if (part.isExplained) expect(part.unexplained).toBe(0);
        }
      }),
    );
  });
});

describe('readBillLine()', () => {
  const read = (record: BillRecord): BillLine => {
    const found = findBillColumns(Object.keys(record), {});
    if (found.kind === 'missing') throw new Error(found.what);
    return readBillLine(record, found.columns);
  };

  test("reads the simulator's bill", () => {
    const line = { seq: 1, at: '2026-03-01T12:00:00.000Z', model: 'small', requestHash: 'h', requestId: 'r' };
    expect(read({ ...line, inputTokens: 7, cachedInputTokens: 2, outputTokens: 3, costNanoUsd: 61_950 })).toEqual({
      model: 'small',
      at: NOON,
      inputTokens: 7,
      cachedInputTokens: 2,
      outputTokens: 3,
      cost: 61_950,
      request: 'h',
    });
  });

  test("reads OpenAI's usage export, usage API page and cost API page", () => {
    expect(
      read({
        start_time: '1772323200',
        end_time: '1772409600',
        start_time_iso: '2026-03-01T00:00:00+00:00',
        num_model_requests: '5',
        model: 'gpt-4o-2024-08-06',
        input_tokens: '1,000',
        output_tokens: '500',
        input_cached_tokens: '800',
      }),
    ).toEqual({
      model: 'gpt-4o-2024-08-06',
      at: Date.parse('2026-03-01'),
      calls: 5,
      inputTokens: 1000,
      cachedInputTokens: 800,
      outputTokens: 500,
    });
    const bucket = { object: 'bucket', start_time: 1772323200 };
    const usage = { input_tokens: 10, output_tokens: 5, num_model_requests: 1, model: 'm' };
    const [fromPage] = billRecords({ object: 'page', data: [{ ...bucket, results: [usage] }] });
    expect(read(fromPage ?? {})).toMatchObject({ model: 'm', at: Date.parse('2026-03-01'), inputTokens: 10 });
    const cost = { amount: { value: 0.06, currency: 'usd' }, line_item: 'gpt-4o-2024-08-06, input' };
    const [fromCosts] = billRecords({ ...bucket, results: [cost] });
    expect(read(fromCosts ?? {})).toMatchObject({ model: 'gpt-4o-2024-08-06', cost: 60_000_000, costDecimals: 2 });
  });

  test("reads Anthropic's usage export with the cached tokens that its input leaves out, and its cost export", () => {
    expect(
      read({
        usage_date_utc: '2026-03-01',
        model_version: 'claude-haiku-4-5-20251001',
        usage_input_tokens_no_cache: '100',
        usage_input_tokens_cache_write_5m: '20',
        usage_input_tokens_cache_write_1h: '3',
        usage_input_tokens_cache_read: '1000',
        usage_output_tokens: '7',
      }),
    ).toMatchObject({ inputTokens: 1123, cachedInputTokens: 1000, outputTokens: 7, at: Date.parse('2026-03-01') });
    expect(
      read({ usage_date_utc: '2026-03-01', model: 'Claude Haiku 4.5', token_type: 'output', cost_usd: '1.05' }),
    ).toEqual({ model: 'Claude Haiku 4.5', at: Date.parse('2026-03-01'), cost: 1_050_000_000, costDecimals: 2 });
  });

  test.each([
    ['0.1', 100_000_000],
    ['$1,234.5', 1_234_500_000_000],
    ['1.5e-7', 150],
    ['0.0000000015', 2],
    ['-2.00', -2_000_000_000],
    ['', 0],
  ])('reads the cost %j as %d nano-dollars', (cost, nano) => {
    expect(read({ model: 'm', cost }).cost).toBe(nano);
  });

  test.each([
    [{ model: 'm', cost: 'free' }, 'cost must be decimal dollars, is "free"'],
    [{ model: 'm', cost: '.' }, 'cost must be decimal dollars, is "."'],
    [{ model: 'm', input_tokens: '1.5', output_tokens: 1 }, 'input_tokens must be a whole number, is "1.5"'],
    [{ model: 'm', cost: 1, date: 'soon' }, 'date must be a time, is "soon"'],
  ])('refuses %j and names the column and the value', (record, message) => {
    expect(() => read(record)).toThrow(new RangeError(message));
  });

  test('reads a time without a zone as UTC', () => {
    expect(read({ model: 'm', cost: 1, time: '2026-03-01 12:00:00' }).at).toBe(NOON);
  });

  test('takes the columns that the user names, adds those joined, and names one that is not there', () => {
    const names = ['Model', 'Prompt', 'Cached', 'Completion'];
    const found = findBillColumns(names, { input: ['prompt', 'cached'], output: ['completion'] });
    expect(found).toMatchObject({ kind: 'found', columns: { model: ['Model'], input: ['Prompt', 'Cached'] } });
    expect(findBillColumns(names, { input: ['tokens'] })).toEqual({
      kind: 'missing',
      what: 'a column "tokens" for input',
    });
    expect(findBillColumns(['cost'], {})).toEqual({ kind: 'missing', what: 'a column that says the model' });
    expect(findBillColumns(['model'], {})).toMatchObject({ kind: 'missing' });
  });
});
