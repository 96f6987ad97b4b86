import type { BreakerEvent } from '../ledger/breaker-event.ts';
import type { Pause } from '../ledger/pause.ts';

/** Which workflows are held for the whole cluster, and what their breakers did. */
export interface WorkflowHolds {
  get(workflow: string): Promise<Pause | undefined>;
  /** True where it was not held before: the first to open the breaker reports it. */
  set(workflow: string, hold: Pause): Promise<boolean>;
  /** True where it was held before. */
  clear(workflow: string): Promise<boolean>;
  /** @param name a workflow, or `batch:ID` */
  record(name: string, event: BreakerEvent): Promise<void>;
  /** Oldest first, at most the last hundred. */
  history(name: string): Promise<readonly BreakerEvent[]>;
}
