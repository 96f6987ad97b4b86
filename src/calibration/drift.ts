/**
 * Watches, while it runs, whether a promise still holds: a game that only pays if it does not. Whoever bets on more errors than
 * promised cannot expect to win as long as the promise holds, so that capital 1 / ALARM is reached with a chance of at most ALARM, however long
 * and however often one looks.
 */
export interface DriftState {
  /** Samples seen, and those that were against the promise. */
  readonly samples: number;
  readonly errors: number;
  /** Capital in the game. It takes part from later and later beginnings, so that a long good time does not use it up. */
  readonly staked: number;
  /** Beginnings so far; the capital that has not begun is kept aside. */
  readonly begun: number;
  /** Recent samples and errors, older ones counting less: what the next bet goes by. */
  readonly recent: number;
  readonly recentErrors: number;
  /** When the alarm came, milliseconds since the epoch. Absent: it has not. */
  readonly alarmAt?: number;
}

/** Chance of an alarm while the promise holds, forever. */
export const DRIFT_ALARM = 0.05;

/** Samples after which the next part of the capital begins. */
const PART_EVERY = 250;
/** Samples that the recent rate remembers, about. */
const MEMORY = 150;
/** Of the stake, what one bet may lose at most. */
const MAX_LOST = 0.5;

export const DRIFT_BEGINNING: DriftState = {
  samples: 0,
  errors: 0,
  staked: 0,
  begun: 0,
  recent: 0,
  recentErrors: 0,
};

/** Capital of the game; the alarm comes at `1 / DRIFT_ALARM`. */
export function capital({ staked, begun }: DriftState): number {
  return staked + 1 / (begun + 1);
}

/**
 * After more samples. The bet is laid before they are looked at, so it is fair in any order.
 *
 * @param promised most errors a sample, 0 to 1
 * @param now milliseconds since the epoch
 */
export function afterSamples(
  before: DriftState,
  seen: { readonly samples: number; readonly errors: number },
  promised: number,
  now: number,
): DriftState {
  if (seen.samples === 0) return before;
  let { staked, begun } = before;
  // The parts 1/2, 1/6, 1/12 … of the capital begin one after the other, and add up to 1.
  while (begun * PART_EVERY <= before.samples) {
    begun += 1;
    staked += 1 / (begun * (begun + 1));
  }
  const bet = nextBet(before, promised);
  staked *= (1 + bet * (1 - promised)) ** seen.errors * (1 - bet * promised) ** (seen.samples - seen.errors);
  const kept = (1 - 1 / MEMORY) ** seen.samples;
  const after: DriftState = {
    samples: before.samples + seen.samples,
    errors: before.errors + seen.errors,
    staked,
    begun,
    recent: before.recent * kept + seen.samples,
    recentErrors: before.recentErrors * kept + seen.errors,
    ...(before.alarmAt === undefined ? {} : { alarmAt: before.alarmAt }),
  };
  return before.alarmAt === undefined && capital(after) >= 1 / DRIFT_ALARM ? { ...after, alarmAt: now } : after;
}

/** The stake's growth is fastest where it is laid by the true rate; nothing is bet while the promise seems to hold. */
function nextBet({ recent, recentErrors }: DriftState, promised: number): number {
  if (promised <= 0) return 0;
  const rate = (recentErrors + promised) / (recent + 1);
  const best = (rate - promised) / (promised * (1 - promised));
  return Math.min(Math.max(0, best), MAX_LOST / promised);
}
