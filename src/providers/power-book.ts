import { formatUsd, type NanoUsd } from '../money/money.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { storeKeys } from '../store/store-keys.ts';

/** Some of a server's time. */
export interface PowerTime {
  readonly ms: number;
  /** Absent: not known, because `price.perHour` was not set. */
  readonly cost?: NanoUsd;
}

/** A part of a server's time, and whom it is for. Parts add up to the time that it was switched on and to what was booked. */
export interface PowerShare extends PowerTime {
  readonly provider: string;
  readonly workflow: string;
  /** Absent: no open batch needed the server then; it was kept on for the next one. */
  readonly batch?: string;
}

/** What was booked for a server on one day, UTC. */
interface PowerDay {
  /** Beginning of the interval that was added last, milliseconds since the epoch. */
  readonly latest: number;
  readonly shares: readonly PowerShare[];
}

const LAST_DAY = Date.UTC(9999, 11, 31);

/** Undefined where any of them is not known. */
export function addPowerTime(all: readonly PowerTime[]): PowerTime {
  const ms = all.reduce((sum, each) => sum + each.ms, 0);
  if (all.some(({ cost }) => cost === undefined)) return { ms };
  return { ms, cost: all.reduce((sum, { cost = 0 }) => sum + cost, 0) };
}

/** For people, e.g. `12.5 min, $0.25`. */
export function powerText({ ms, cost }: PowerTime): string {
  const minutes = Math.round(ms / 6_000) / 10;
  const money = cost === undefined ? 'cost NOT KNOWN: set price.perHour of the provider' : formatUsd(cost);
  return `${minutes.toLocaleString('en')} min, ${money}`;
}

export type ProviderTime = PowerTime & { readonly provider: string };

/** One entry a provider, in the order of their names. */
export function sumByProvider(times: readonly ProviderTime[]): readonly ProviderTime[] {
  return [...Map.groupBy(times, ({ provider }) => provider)]
    .map(([provider, own]) => ({ provider, ...addPowerTime(own) }))
    .sort((a, b) => (a.provider < b.provider ? -1 : 1));
}

/**
 * Adds an interval that begins at `from`, milliseconds since the epoch, to a provider's book. One that is in it already is
 * left as it is, so that it may be repeated; one process at a time adds to a provider's book, later intervals after earlier ones.
 */
export async function addToPowerBook(
  store: ObjectStore,
  provider: string,
  from: number,
  shares: readonly PowerShare[],
): Promise<void> {
  const key = storeKeys.power(provider, dayOf(from));
  const before = await readDay(store, key);
  if (before !== undefined && before.latest >= from) return;
  const day: PowerDay = { latest: from, shares: addShares([...(before?.shares ?? []), ...shares]) };
  await store.put(key, Buffer.from(JSON.stringify(day)));
}

/**
 * What was booked on the days from `since` to `until`, milliseconds since the epoch; whole days, UTC.
 *
 * @param provider absent: every one
 */
export async function readPowerBook(
  store: ObjectStore,
  { since, until, provider }: { readonly since: number; readonly until: number; readonly provider?: string },
): Promise<readonly PowerShare[]> {
  const shares: PowerShare[] = [];
  const [first, last] = [dayOf(since), dayOf(until)];
  for await (const { key } of store.list(provider === undefined ? storeKeys.powers : storeKeys.powerOf(provider))) {
    const day = key.slice(key.lastIndexOf('/') + 1).replace('.json', '');
    if (day >= first && day <= last) shares.push(...((await readDay(store, key))?.shares ?? []));
  }
  return shares;
}

/** A batch's part of each provider's time; one that was not on for it has none, which costs nothing. */
export async function batchPower(
  store: ObjectStore,
  providers: readonly string[],
  { batchId, since, until }: { readonly batchId: string; readonly since: number; readonly until: number },
): Promise<readonly ProviderTime[]> {
  return await Promise.all(
    providers.map(async (provider) => {
      const shares = await readPowerBook(store, { since, until, provider });
      return { provider, ...addPowerTime(shares.filter(({ batch }) => batch === batchId)) };
    }),
  );
}

async function readDay(store: ObjectStore, key: string): Promise<PowerDay | undefined> {
  const bytes = await store.get(key);
  return bytes === undefined ? undefined : (JSON.parse(Buffer.from(bytes).toString()) as PowerDay);
}

/** One entry for each workflow and batch. */
function addShares(shares: readonly PowerShare[]): readonly PowerShare[] {
  const groups = Map.groupBy(shares, ({ workflow, batch = '' }) => `${workflow}\0${batch}`);
  return [...groups.values()].flatMap((own) => {
    const [first] = own;
    if (first === undefined) return [];
    const { ms: _, cost: __, ...whose } = first;
    return [{ ...whose, ...addPowerTime(own) }];
  });
}

function dayOf(at: number): string {
  return new Date(Math.min(at, LAST_DAY)).toISOString().slice(0, 10);
}
