import { binomialAtMost } from '../calibration/tails.ts';
import { FENCE_RULE, fenceDocument } from '../prompts/fence.ts';

/** Two summaries of one document; `before` is the baseline's. */
export interface JudgedPair {
  readonly id: string;
  readonly text: string;
  readonly before: string;
  readonly after: string;
}

/** What a model says of pairs of summaries, each asked in both orders. */
export interface JudgeReport {
  readonly judge: string;
  readonly documents: number;
  /** Pairs whose verdict is the same in both orders, by what it says of the new summary; all others are equal. */
  readonly better: number;
  readonly worse: number;
  readonly equal: number;
  /** Share of the pairs that were read in both orders, and whose verdict turned with the order: the judge's own error. */
  readonly swapRate: number;
  /** Pairs without two replies that can be read. */
  readonly unread: number;
  /** Chance of so many worse ones, or more, if both were as good: exact, one-sided. */
  readonly pValue: number;
  readonly costUsd: number;
}

const RULES = [
  'You compare two summaries of one document.',
  'Better is the one that says what is important in it and nothing that is not in it. Length is no merit, and neither are style or order.',
  FENCE_RULE,
  'Answer with one digit and nothing else: 1 if the first summary is better, 2 if the second is, 0 if neither is.',
].join(' ');

const ORDERS = ['forward', 'backward'] as const;
type Order = (typeof ORDERS)[number];

function requestId(id: string, order: Order): string {
  return `${order}:${id}`;
}

/** Chat requests, two a pair; equal summaries need no judge. */
export function judgeRequests(pairs: readonly JudgedPair[]): readonly object[] {
  return pairs.flatMap(({ id, text, before, after }) => {
    if (before === after) return [];
    return ORDERS.map((order) => {
      const [first, second] = order === 'forward' ? [before, after] : [after, before];
      const asked = [
        fenceDocument(text),
        `First summary:\n${fenceDocument(first)}`,
        `Second summary:\n${fenceDocument(second)}`,
      ];
      return {
        id: requestId(id, order),
        messages: [
          { role: 'system', content: RULES },
          { role: 'user', content: asked.join('\n\n') },
        ],
        max_completion_tokens: REPLY_TOKENS,
      };
    });
  });
}

/** One digit, and what servers put around it. */
const REPLY_TOKENS = 16;

/** @param replies what the judge has said, by the requests' ids */
export function countVerdicts(
  pairs: readonly JudgedPair[],
  replies: ReadonlyMap<string, string>,
): Omit<JudgeReport, 'judge' | 'costUsd'> {
  const counts = { better: 0, worse: 0, equal: 0, turned: 0, unread: 0 };
  for (const { id, before, after } of pairs) {
    if (before === after) {
      counts.equal += 1;
      continue;
    }
    const forward = digitOf(replies.get(requestId(id, 'forward')));
    const backward = digitOf(replies.get(requestId(id, 'backward')));
    if (forward === undefined || backward === undefined) counts.unread += 1;
    else if (forward === 2 && backward === 1) counts.better += 1;
    else if (forward === 1 && backward === 2) counts.worse += 1;
    else {
      counts.equal += 1;
      if (forward !== 0 || backward !== 0) counts.turned += 1;
    }
  }
  const { better, worse, equal, turned, unread } = counts;
  return {
    documents: pairs.length,
    better,
    worse,
    equal,
    swapRate: turned / Math.max(1, better + worse + equal),
    unread,
    pValue: binomialAtMost(better + worse, 0.5, better),
  };
}

function digitOf(reply: string | undefined): number | undefined {
  const digits = new Set(reply?.match(/[0-2]/g) ?? []);
  const [digit] = digits;
  return digits.size === 1 ? Number(digit) : undefined;
}
