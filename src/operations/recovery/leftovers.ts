import type { App } from '../../app.ts';
import type { BatchRecord } from '../../batches/batch-registry.ts';
import type { Check } from '../../doctor/check.ts';
import { storeKeys } from '../../store/store-keys.ts';

export interface Leftovers {
  readonly open: readonly Pick<BatchRecord, 'batchId' | 'state' | 'createdAt'>[];
  /** Batches of which the store has objects and Redis has no record. */
  readonly orphans: readonly string[];
  /** Runs of which the store has an evaluation, and neither it nor Redis a batch. */
  readonly evaluations: readonly string[];
  /** Share of its memory that Redis uses; undefined: it has no limit, or does not tell. */
  readonly memoryUsed: number | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Submissions take minutes; one that is older was cut off. */
const CUT_OFF_AFTER_MS = 60 * 60_000;
const NEARLY_FULL = 0.8;
const ORPHANS_NAMED = 5;
/** Objects that `doctor` looks through; a large store is not listed to its end. */
const MAX_OBJECTS = 20_000;

/** Lines of `doctor` on what is left over or about to fill up, each with its cure. Pure. */
export function leftoverFindings({ open, orphans, evaluations, memoryUsed, now }: Leftovers): readonly Check[] {
  const checks = open
    .filter(({ state, createdAt }) => state === 'ingesting' && now - createdAt > CUT_OFF_AFTER_MS)
    .map(({ batchId, createdAt }): Check => {
      const since = new Date(createdAt).toISOString();
      const detail = `its submission began at ${since} and was cut off: give the same submit command again, or forget it: nightmill cancel ${batchId}`;
      return { name: `batch ${batchId}`, state: 'warning', detail };
    });
  if (orphans.length > 0) {
    const detail = `the store has objects of ${nameSome(orphans)}, which Redis does not know: nightmill recover where Redis has lost them, else nightmill delete ${orphans[0]}`;
    checks.push({ name: 'orphans', state: 'warning', detail });
  }
  if (evaluations.length > 0) {
    const detail = `evaluations of ${nameSome(evaluations)} are left, whose batches are gone: nightmill delete ${evaluations[0]}, or set retention.evaluations`;
    checks.push({ name: 'evaluations', state: 'warning', detail });
  }
  if (memoryUsed !== undefined && memoryUsed > NEARLY_FULL) {
    const detail = `${Math.round(memoryUsed * 100)} % of maxmemory are used: when it is full, work stops. Raise maxmemory, or set retention.batches`;
    checks.push({ name: 'redis memory', state: 'warning', detail });
  }
  return checks;
}

function nameSome(ids: readonly string[]): string {
  const more = ids.length > ORPHANS_NAMED ? ` and ${ids.length - ORPHANS_NAMED} more` : '';
  return `${ids.slice(0, ORPHANS_NAMED).join(', ')}${more}`;
}

export async function readLeftovers(app: App): Promise<readonly Check[]> {
  return leftoverFindings({
    open: await app.batches.listOpen(),
    orphans: await findOrphans(app).catch(() => []),
    evaluations: await findEvaluations(app).catch(() => []),
    memoryUsed: await app.redis.memoryUsed(),
    now: app.clock.now(),
  });
}

async function findOrphans({ store, batches }: App): Promise<readonly string[]> {
  const ids = new Set<string>();
  let objects = 0;
  for await (const { key } of store.list(storeKeys.batches)) {
    ids.add(key.split('/')[1] ?? '');
    objects += 1;
    if (objects === MAX_OBJECTS) break;
  }
  const known = await Promise.all([...ids].map(async (id) => ((await batches.get(id)) === undefined ? id : undefined)));
  return known.filter((id) => id !== undefined);
}

/** An orphan with objects of its batch is named among the others. */
async function findEvaluations({ store, batches }: App): Promise<readonly string[]> {
  const runs: string[] = [];
  let objects = 0;
  for await (const { key } of store.list(storeKeys.evaluations)) {
    const run = key.slice(storeKeys.evaluations.length).replace(/\.json$/, '');
    const isKnown =
      (await batches.get(run)) !== undefined || (await store.head(storeKeys.submission(run))) !== undefined;
    if (!isKnown) runs.push(run);
    objects += 1;
    if (objects === MAX_OBJECTS) break;
  }
  return runs;
}
