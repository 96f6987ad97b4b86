import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeFacts, readFacts } from '../../../src/tasks/summarize/facts.ts';
import { budgetNotes, combineNotes, fitNote, joinNotes } from '../../../src/tasks/summarize/notes.ts';
import { countTokens } from '../../../src/text/tokens.ts';

const USUAL = { summaryTokens: 100, factTokens: 60 };

describe('readFacts()', () => {
  it.each([
    [undefined, []],
    ['one', []],
    [{ 0: 'x' }, []],
    [
      ['  a \n b ', '', 7, null, ['x'], 'c'],
      ['a b', 'c'],
    ],
  ])('reads %j as %j', (value, facts) => {
    expect(readFacts(value)).toEqual(facts);
  });

  it('cuts prose that pretends to be a fact', () => {
    expect(readFacts(['x'.repeat(5000)])[0]).toHaveLength(240);
  });
});

describe('mergeFacts()', () => {
  it('keeps each fact once, whatever its case and punctuation, in the order of the parts', () => {
    const merged = mergeFacts(
      [
        ['Paid 300 EUR.', 'Signed by Ada'],
        ['paid 300 eur', 'Closed on 3 May'],
      ],
      1000,
    );
    expect(merged).toEqual(['Paid 300 EUR.', 'Signed by Ada', 'Closed on 3 May']);
  });

  it('keeps facts apart that differ in a number alone', () => {
    expect(mergeFacts([['rose by 1.5 %', 'rose by 15 %', 'rose by -15 %', 'rose by 1,5 %']], 1000)).toHaveLength(4);
  });

  it('takes the first of every part before the second of any, where not all fit', () => {
    const note = (name: string) => [`${name} one`, `${name} two`, `${name} three`];
    const one = countTokens('alpha one') + 3;
    expect(mergeFacts([note('alpha'), note('beta'), note('gamma')], one * 3 + 1)).toEqual([
      'alpha one',
      'beta one',
      'gamma one',
    ]);
  });

  it('prefers what the model kept', () => {
    const merged = mergeFacts([['a 1', 'b 2', 'c 3']], countTokens('c 3') + 3, ['C 3']);
    expect(merged).toEqual(['C 3']);
  });

  it('stays within its tokens for any facts', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 6 }), { maxLength: 6 }), (notes) => {
        const merged = mergeFacts(notes, 40);
        expect(merged.reduce((sum, fact) => sum + countTokens(fact), 0)).toBeLessThanOrEqual(40);
      }),
    );
  });
});

describe('budgetNotes()', () => {
  it('lets a call read as many notes as fit, with everything around them', () => {
    expect(budgetNotes(1000, USUAL)).toEqual({ ...USUAL, fanIn: 5 });
    expect(budgetNotes(336, USUAL)).toEqual({ ...USUAL, fanIn: 2 });
  });

  it('cuts notes where two of the usual size would not fit, so that every tree ends', () => {
    const budget = budgetNotes(200, USUAL);
    expect(budget.fanIn).toBe(2);
    expect(2 * (budget.summaryTokens + budget.factTokens + 8)).toBeLessThanOrEqual(200);
    expect(budget.summaryTokens).toBeGreaterThan(40);
  });
});

describe('fitNote()', () => {
  it('leaves a note alone that fits', () => {
    const note = { summary: 'Short.', facts: ['One 1'] };
    expect(fitNote(note, { ...USUAL, fanIn: 2 })).toEqual(note);
  });

  it('cuts at a sentence, and one endless sentence at a word', () => {
    const fitted = (summary: string) => fitNote({ summary, facts: [] }, { ...USUAL, fanIn: 2 }).summary;
    expect(fitted('The mill stands on the hill. '.repeat(50))).toMatch(/hill\.$/);
    expect(fitted('mill and '.repeat(300))).toMatch(/(mill|and)$/);
    expect(countTokens(fitted('水'.repeat(3000)))).toBeLessThanOrEqual(100);
    expect(countTokens(fitted('mill and '.repeat(300)))).toBeGreaterThan(80);
  });
});

describe('combineNotes()', () => {
  it('keeps facts that the model did not repeat', () => {
    const read = [
      { summary: 'a', facts: ['Paid 300 EUR', 'Signed by Ada'] },
      { summary: 'b', facts: ['Closed on 3 May'] },
    ];
    const combined = combineNotes({ summary: 'Both.', facts: ['Closed on 3 May'] }, read, { ...USUAL, fanIn: 2 });
    expect(combined).toEqual({ summary: 'Both.', facts: ['Paid 300 EUR', 'Signed by Ada', 'Closed on 3 May'] });
  });
});

describe('joinNotes()', () => {
  it('puts notes in order and all facts behind them, each once', () => {
    const text = joinNotes([
      { summary: 'First.', facts: ['A 1', 'B 2'] },
      { summary: 'Second.', facts: ['a 1.'] },
    ]);
    expect(text).toBe('First.\n\nSecond.\n\nFacts:\n- A 1\n- B 2');
    expect(joinNotes([{ summary: 'Only.', facts: [] }])).toBe('Only.');
  });

  it('holds as many notes as the budget says in its window, whatever they say', () => {
    const note = fc.record({
      summary: fc.string({ unit: 'grapheme', maxLength: 900 }),
      facts: fc.array(fc.string({ unit: 'grapheme', maxLength: 80 }), { maxLength: 12 }),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 200, max: 1200 }),
        fc.array(note, { minLength: 7, maxLength: 7 }),
        (window, notes) => {
          const budget = budgetNotes(window, USUAL);
          const text = joinNotes(notes.slice(0, budget.fanIn).map((one) => fitNote(one, budget)));
          expect(countTokens(text)).toBeLessThanOrEqual(window);
        },
      ),
      { numRuns: 60 },
    );
  });
});
