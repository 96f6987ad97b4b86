/** How a candidate has done beside what is in force, by the same documents. */
export interface CandidateCounts {
  /** Documents that both were asked for. */
  readonly documents: number;
  /** Of these, those where only the candidate was right, and where only it was not. */
  readonly better: number;
  readonly worse: number;
}

export const NOTHING_COMPARED: CandidateCounts = { documents: 0, better: 0, worse: 0 };

/** Chance of stopping a candidate that is not worse, forever. */
export const CANDIDATE_ALARM = 0.05;

/** Parts of the capital that a bet may lose: a game for each, so that a small and a large difference are both found soon. */
const BETS = [0.05, 0.1, 0.2, 0.3, 0.4, 0.55, 0.7];

/**
 * Whether the candidate is worse by more than `margin`, 0 to 1: right less often than what is in force. A betting test, so that
 * one may look after every document: should it not be worse, it is found so with a chance of at most {@link CANDIDATE_ALARM}, ever.
 */
export function isWorse({ documents, better, worse }: CandidateCounts, margin: number): boolean {
  const fair = (1 + margin) / 2;
  const same = documents - better - worse;
  let capital = 0;
  for (const part of BETS) {
    const bet = part / fair;
    capital +=
      Math.exp(
        worse * Math.log1p(bet * (1 - fair)) + same * Math.log1p(bet * (0.5 - fair)) + better * Math.log1p(-bet * fair),
      ) / BETS.length;
  }
  return capital >= 1 / CANDIDATE_ALARM;
}

/** Of several slices together. */
export function addCompared(a: CandidateCounts, b: CandidateCounts): CandidateCounts {
  return { documents: a.documents + b.documents, better: a.better + b.better, worse: a.worse + b.worse };
}
