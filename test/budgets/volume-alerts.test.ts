import { describe, expect, it } from 'vitest';
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
  };
}

function night(documents: number, history: WorkflowHistory, tokens = TOKENS): BatchVolume {
  const spending = { batchId: 'n4', workflow: 'triage', documents, done: 0, spent: 0 };
  return { spending, inputTokens: documents * tokens, history };
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
      { name: 'USD per million tokens of documents', now: 2.5, usual: 2.5 },
    ]);
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
    expect(alert?.parts?.map(({ name }) => name)).toHaveLength(3);
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
