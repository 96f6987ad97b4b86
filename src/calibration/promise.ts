import { hypergeometric, hypergeometricAtMost, hypergeometricUpper } from './tails.ts';

/** A simple random sample of some items: how many it is drawn from, and what was found in it. */
export interface Sample {
  readonly population: number;
  readonly drawn: number;
}

/**
 * Whether a sample certifies that at most `allowed` errors are left among the items that were not drawn; those found are
 * fixed. Wrong in at most `delta` of the samples, whatever the items are.
 */
export function certifiesFewErrors(
  { population, drawn, errors }: Sample & { readonly errors: number },
  allowed: number,
  delta: number,
): boolean {
  // The least that would break the promise with as many found; with more, or with fewer found, the sample is rarer still.
  const marked = Math.floor(allowed) + 1 + errors;
  if (marked > population || population - drawn <= allowed) return true;
  if (drawn === 0 || allowed < 0) return false;
  return hypergeometricAtMost({ size: population, marked, drawn }, errors) <= delta;
}

/** Share of delta that is spent on a bound of how often two cascades differ. */
const NUISANCE = 0.05;

/**
 * Whether a sample certifies that one cascade gets at most `allowed` items fewer right than another, over all items of the
 * population (those drawn too). How often the two differ is not known: it is bounded first (Berger and Boos), with a
 * twentieth of `delta`, and the worst case under the bound decides.
 *
 * @param losses drawn items that only the other one has right
 * @param gains drawn items that only the first one has right
 */
export function certifiesSmallLoss(
  { population, drawn, losses, gains }: Sample & { readonly losses: number; readonly gains: number },
  allowed: number,
  delta: number,
): boolean {
  const least = Math.floor(allowed) + 1;
  if (drawn === 0 || least <= -population) return false;
  const different = losses + gains;
  const most = hypergeometricUpper(population, drawn, different, delta * NUISANCE);
  const from = Math.max(Math.abs(least), different);
  let worst = 0;
  for (let step = 0; step <= STEPS && from <= most; step++) {
    let differing = Math.round(from + ((most - from) * step) / STEPS);
    if ((differing - least) % 2 !== 0) differing = differing > from ? differing - 1 : differing + 1;
    worst = Math.max(worst, chanceOfSuchGains({ population, drawn, losses, gains }, differing, least));
  }
  return worst <= delta * (1 - NUISANCE);
}

const STEPS = 4;

/** Chance of gains less losses as high as those seen where `differing` items differ and `net` more of them are losses. */
function chanceOfSuchGains(
  { population, drawn, losses, gains }: Sample & { readonly losses: number; readonly gains: number },
  differing: number,
  net: number,
): number {
  const allGains = (differing - net) / 2;
  const expected = (drawn * differing) / population;
  // Beyond six standard deviations nothing is added that a twelfth decimal would show.
  const reach = 6 * Math.sqrt(expected) + 5;
  const last = Math.min(drawn, differing, Math.ceil(expected + reach));
  let chance = 0;
  for (let found = Math.max(0, Math.floor(expected - reach)); found <= last; found++) {
    const least = Math.ceil((gains - losses + found) / 2);
    if (least > found) continue;
    const share = hypergeometric({ size: population, marked: differing, drawn }, found);
    if (share < 1e-12) continue;
    const urn = { size: differing, marked: allGains, drawn: found };
    chance += share * (least <= 0 ? 1 : 1 - hypergeometricAtMost(urn, least - 1));
  }
  return chance;
}
