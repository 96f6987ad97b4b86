/** What a part of a long text was found to be. */
export interface Vote {
  readonly label: string;
  /** 0 to 1. */
  readonly confidence: number;
  readonly tokens: number;
}

/** A part that is sure of nothing still counts a little, so that all-zero confidences elect the majority. */
const MIN_CONFIDENCE = 1e-6;

/**
 * One label for a text that was classified in parts: each part votes with its confidence, weighted by its tokens. The
 * winner's share of all tokens is the confidence, so what a part is not sure of, and parts that did not vote, count as
 * unknown. Equal votes go to the label that was voted for first.
 *
 * @param totalTokens of all parts, those without a vote included; absent: of the votes
 */
export function mergeVotes(
  votes: readonly Vote[],
  totalTokens: number = sumTokens(votes),
): { readonly label: string; readonly confidence: number } {
  const [label, share] = [...countVotes(votes)].reduce((best, entry) => (entry[1] > best[1] ? entry : best), ['', -1]);
  return { label, confidence: totalTokens === 0 ? 0 : Math.min(1, Math.max(0, share) / totalTokens) };
}

/**
 * Tokens of parts that have to vote before the answer can be settled: as long as those that are left could lift another
 * label to the first place, even the smallest number of votes that may end it. 0: nothing can change the answer.
 *
 * @param leftTokens of the parts that have not voted and still can
 */
export function tokensToDecide(votes: readonly Vote[], leftTokens: number): number {
  const [first = 0, second = 0] = [...countVotes(votes).values()].sort((a, b) => b - a);
  const lead = first - second;
  return lead > leftTokens ? 0 : (leftTokens - lead) / 2;
}

/** 0 to `length - 1` so that every beginning of it is spread over the whole: the middle, the quarters, the eighths, … */
export function spreadOrder(length: number): readonly number[] {
  const order = new Set<number>();
  for (let step = 1; order.size < length; step *= 2) {
    for (let index = 0; index < step; index++) order.add(Math.floor((length * (2 * index + 1)) / (2 * step)));
  }
  return [...order];
}

function countVotes(votes: readonly Vote[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { label, confidence, tokens } of votes) {
    counts.set(label, (counts.get(label) ?? 0) + Math.max(confidence, MIN_CONFIDENCE) * tokens);
  }
  return counts;
}

function sumTokens(votes: readonly Vote[]): number {
  return votes.reduce((sum, { tokens }) => sum + tokens, 0);
}
