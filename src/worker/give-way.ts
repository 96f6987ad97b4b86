import type { SliceRun } from '../calls/slice-run.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';

/** A slice in this worker's hands, or the next one in the queue. */
interface Turn {
  readonly batch: string;
  readonly turn: number;
}

export interface GiveWayContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly runs: ReadonlySet<SliceRun>;
  /** Tells the slice that is next, which stays where it is. */
  readonly queue: { next(workflow: string): Promise<Turn | undefined> };
}

/** Each slice of a new batch waits for half as long on average, and for as long again after the one before it. */
const LOOK_EVERY_MS = 100;

/**
 * Which slice at work goes back so that the one that waits is taken: the last of those that have begun nothing. Only for a
 * slice that goes before all of that batch here: slices of one batch never change places, and batches that share by turns
 * do not push each other to and fro.
 */
export function overtaken<T extends Turn & { readonly hasBegun: boolean }>(
  atWork: readonly T[],
  waiting: Turn,
): T | undefined {
  const isBehind = ({ batch }: T) =>
    batch !== waiting.batch && atWork.every((other) => other.batch !== batch || waiting.turn < other.turn);
  let last: T | undefined;
  for (const slice of atWork) {
    if (slice.hasBegun || !isBehind(slice)) continue;
    if (last === undefined || slice.turn > last.turn) last = slice;
  }
  return last;
}

/**
 * While every place for slices of a workflow is taken, looks at what waits for one, until `stopping`. Calls go out in the
 * order of turns, so the last slices that a worker has taken have often begun nothing: one goes back at no cost where a slice
 * with an earlier turn waits.
 */
export async function giveWay(
  { clock, log, runs, queue }: GiveWayContext,
  { workflows, slices }: { readonly workflows: readonly string[]; readonly slices: number },
  stopping: AbortSignal,
): Promise<void> {
  const look = async (workflow: string) => {
    const here = () => slicesOf(runs, workflow);
    const isFull = () => here().length >= slices;
    if (!isFull() || here().every(({ hasBegun }) => hasBegun)) return;
    const waiting = await queue.next(workflow);
    if (waiting === undefined || stopping.aborted || !isFull()) return;
    overtaken(here(), waiting)?.run.stop({ kind: 'overtaken' });
  };
  for (;;) {
    await clock.sleep(LOOK_EVERY_MS, stopping);
    if (stopping.aborted) return;
    try {
      for (const workflow of workflows) await look(workflow);
    } catch (error) {
      // Without Redis nobody takes a slice.
      log.debug('worker:error', { message: (error as Error).message });
    }
  }
}

/** Those that count for a place: one that stops leaves it, and a batch's end takes none. */
function slicesOf(runs: Iterable<SliceRun>, workflow: string) {
  return [...runs].flatMap((run) => {
    const { claim, turn, hasBegun, reason, ending } = run;
    if (claim.workflow !== workflow || reason !== undefined || ending !== undefined) return [];
    return [{ run, batch: claim.batchId, turn, hasBegun }];
  });
}
