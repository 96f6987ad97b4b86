import { describe, expect, it } from 'vitest';
import type { CostFigures } from '../../src/batches/cost-figures.ts';
import { HISTORY_DECAY, type WorkflowHistory } from '../../src/batches/workflow-history.ts';
import { type BatchVolume, forecastAlerts, volumeAlerts } from '../../src/budgets/volume-alerts.ts';

const DAY_MS = 86_400_000;
const FIRST = Date.parse('2026-03-01T03:00:00Z');
/** Nano-dollars: a document costs a tenth of a cent. */
const PER_DOCUMENT = 1_000_000;
const TOKENS = 400;

/** What finished nights with so many documents have left. */
function nights(...documents: number[]): WorkflowHistory {
  const sum = (of: (count: number) => number) => documents.reduce((all, count) => all * HISTORY_DECAY + of(count), 0);
  return {
    configHash: 'h',
    batches: documents.length,
    documents: sum((count) => count),
    cost: sum((count) => count * PER_DOCUMENT),
    inputTokens: sum((count) => count * TOKENS),
    seconds: 60,
    firstAt: FIRST,
    figures: USUAL,
  };
}

/** Of 180 documents the small model answers nine of ten, at $0.20 per million tokens; the large one costs ten times as much. */
const USUAL: CostFigures = {
  answered: 180,
  byFirstTier: 162,
  calls: 200,
  retries: 2,
  models: { small: { tokens: 90_000, cost: 18_000_000 }, large: { tokens: 10_000, cost: 20_000_000 } },
};

function night(documents: number, history: WorkflowHistory, tokens = TOKENS): BatchVolume {
  const spending = { batchId: 'n4', workflow: 'triage', documents, done: 0, spent: 0 };
  return { spending, inputTokens: documents * tokens, history };
}

/** The fourth night, half done, with what has changed on it. */
function halfDone(figures: Partial<CostFigures>): BatchVolume {
  const batch = night(1_500, nights(60, 60, 60));
  return {
    ...batch,
    spending: { ...batch.spending, done: 750, spent: 750_000_000 },
    figures: { ...USUAL, ...figures },
  };
}

const NOW = FIRST + 3 * DAY_MS;
const MONTH = [{ workflow: 'triage', day: '2026-03-04', spent: 3 * 60 * PER_DOCUMENT }];

describe('four nights of 60, 60, 60 and 1,500 documents', () => {
  const fourth = night(1_500, nights(60, 60, 60));

  it('the fourth is told of by its volume before a document is done, with its parts', () => {
    const [alert, ...rest] = volumeAlerts([fourth], NOW);
    expect(rest).toEqual([]);
    expect(alert).toMatchObject({ scope: 'batch:n4', level: 'volume', projected: 1_500 * PER_DOCUMENT });
    expect(alert?.message).toContain('1,500 documents, 25 times what workflow triage usually has (60)');
    expect(alert?.message).toContain('about $1.50 instead of $0.06');
    expect(alert?.parts).toEqual([
      { name: 'documents', now: 1_500, usual: 60 },
      { name: 'tokens a document', now: 400, usual: 400 },
      { name: 'acceptance, % by the first tier', now: null, usual: 90 },
      { name: 'price, USD per million tokens', now: null, usual: 0.38 },
      { name: 'retries of 100 calls', now: null, usual: 1 },
    ]);
    expect(alert?.message).toContain('documents 1,500 (usually 60); tokens a document 400 (usually 400). To stop it');
  });

  it('the month is forecast above what usual nights make, with the same parts', () => {
    const [alert] = forecastAlerts([fourth], MONTH, NOW);
    // Three nights, this one and 27 usual ones, against 31 usual ones.
    expect(alert).toMatchObject({
      scope: 'workflow:triage/month',
      period: '2026-03',
      level: 'forecast',
      projected: (3 * 60 + 1_500 + 27 * 60) * PER_DOCUMENT,
    });
    expect(alert?.message).toContain('77 % above the $1.86');
    expect(alert?.message).toContain('documents 1,500 (usually 60)');
    expect(alert?.parts?.map(({ name }) => name)).toHaveLength(5);
  });

  it.each<[string, Partial<CostFigures>, number, number]>([
    // All goes to the large model: the same prices, but more tokens at the dear one.
    [
      'acceptance',
      { byFirstTier: 36, models: { ...USUAL.models, large: { tokens: 90_000, cost: 180_000_000 } } },
      20,
      90,
    ],
    ['price', { models: { ...USUAL.models, small: { tokens: 45_000, cost: 18_000_000 } } }, 0.56, 0.38],
    ['retries', { retries: 50 }, 25, 1],
  ])('%s is apart from the other parts', (changed, figures, now, usual) => {
    const [alert] = forecastAlerts([halfDone(figures)], MONTH, NOW);
    const parts = alert?.parts?.slice(2) ?? [];
    for (const part of parts) {
      if (part.name.startsWith(changed)) expect(part).toMatchObject({ now, usual });
      else expect(part.now, part.name).toBe(part.usual);
    }
    expect(alert?.message).toContain(`${now} (usually ${usual})`);
  });

  it('what a history of an earlier version does not say is not known, and not zero', () => {
    const { figures: _, ...earlier } = nights(60, 60, 60);
    const [alert] = volumeAlerts([{ ...halfDone({}), history: earlier }], NOW);
    expect(alert?.parts?.slice(2)).toMatchObject([{ now: null, usual: null }, { now: null }, { now: null }]);
  });

  it('longer documents alone raise the forecast, and the parts say so', () => {
    const [alert] = forecastAlerts([night(60, nights(60, 60, 60), TOKENS * 20)], MONTH, NOW);
    expect(alert?.parts?.[0]).toMatchObject({ now: 60, usual: 60 });
    expect(alert?.parts?.[1]).toMatchObject({ now: 8_000, usual: 400 });
  });

  it.each([
    ['a usual night', night(60, nights(60, 60, 60))],
    ['under twice the documents', night(119, nights(60, 60, 60))],
    ['the first nights, of which two are no measure', night(1_500, nights(60, 60))],
    ['a few more of very few', night(9, nights(3, 3, 3))],
  ])('nothing is said of %s', (_, batch) => {
    expect(volumeAlerts([batch], NOW)).toEqual([]);
  });

  it('a usual night raises no forecast', () => {
    expect(forecastAlerts([night(60, nights(60, 60, 60))], MONTH, NOW)).toEqual([]);
  });
});
