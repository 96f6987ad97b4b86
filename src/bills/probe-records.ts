import type { ObjectStore } from '../store/object-store.ts';
import { storeKeys } from '../store/store-keys.ts';
import type { OurUsage } from './compare-bills.ts';

/** What one look at a provider (`nightmill doctor --provider`) has booked. It is no batch, so that no manifest has it. */
export interface ProbeRecord extends Omit<OurUsage, 'batchId' | 'fromDay' | 'toDay'> {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly provider: string;
}

export async function keepProbe(store: ObjectStore, record: ProbeRecord): Promise<void> {
  await store.put(storeKeys.probe(record.id), Buffer.from(JSON.stringify(record)));
}

/** The probes of a stretch of time, as bills are compared with them. Both ends are milliseconds since the epoch. */
export async function probeUsages(
  store: ObjectStore,
  { since = 0, until = Number.POSITIVE_INFINITY }: { readonly since?: number; readonly until?: number },
): Promise<readonly OurUsage[]> {
  const usages: OurUsage[] = [];
  for await (const { key } of store.list(storeKeys.probes)) {
    const bytes = await store.get(key);
    if (bytes === undefined) continue;
    const { id, at, provider: _, ...booked } = JSON.parse(Buffer.from(bytes).toString()) as ProbeRecord;
    if (at < since || at >= until) continue;
    const day = new Date(at).toISOString().slice(0, 10);
    usages.push({ batchId: id, fromDay: day, toDay: day, ...booked });
  }
  return usages;
}
