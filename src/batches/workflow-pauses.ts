import type { BreakerEvent } from '../ledger/breaker-event.ts';
import type { Pause } from '../ledger/pause.ts';

/**
 * Which workflows are held for the whole cluster, and what their breakers did. A workflow may be held for several causes at
 * once; it continues when the last of them is gone.
 */
export interface WorkflowPauses {
  /** The pause to name first, of those there are. */
  get(workflow: string): Promise<Pause | undefined>;
  all(workflow: string): Promise<readonly Pause[]>;
  /** True where it was not held for this cause before: the first to open the breaker reports it. */
  set(workflow: string, pause: Pause): Promise<boolean>;
  /**
   * Ends one pause, or all of them.
   *
   * @returns whether there was one, and how many are left
   */
  clear(workflow: string, pause?: Pause): Promise<{ readonly cleared: boolean; readonly left: number }>;
  /** A provider is tried again after a pause that began at `since`; remembered for some minutes. */
  noteRetry(name: string, since: number): Promise<void>;
  /** When the trouble began that a provider was tried again after, if it was lately. */
  retriedSince(name: string): Promise<number | undefined>;
  /** @param name a workflow, or `batch:ID` */
  record(name: string, event: BreakerEvent): Promise<void>;
  /** Oldest first, at most the last hundred. */
  history(name: string): Promise<readonly BreakerEvent[]>;
}
