import type { FinalizeJob } from '../../../jobs/finalize-batch.ts';
import type { SliceJob } from '../../../jobs/process-slice.ts';
import type { JobQueue, JobState, QueuedJob, QueueState } from '../../../src/batches/job-queue.ts';
import type { WorkflowPauses } from '../../../src/batches/workflow-pauses.ts';
import type { BreakerEvent } from '../../../src/ledger/breaker-event.ts';
import { leadingPause, type Pause, pauseKey } from '../../../src/ledger/pause.ts';

/** Pauses of workflows over maps. */
export class MemoryWorkflowPauses implements WorkflowPauses {
  readonly #pauses = new Map<string, readonly Pause[]>();
  readonly #history = new Map<string, BreakerEvent[]>();
  readonly #retried = new Map<string, number>();

  async get(workflow: string): Promise<Pause | undefined> {
    return leadingPause(await this.all(workflow));
  }

  async all(workflow: string): Promise<readonly Pause[]> {
    return this.#pauses.get(workflow) ?? [];
  }

  async set(workflow: string, pause: Pause): Promise<boolean> {
    const known = await this.all(workflow);
    if (known.some((each) => pauseKey(each) === pauseKey(pause))) return false;
    this.#pauses.set(workflow, [...known, pause]);
    return true;
  }

  async clear(workflow: string, pause?: Pause): Promise<{ readonly cleared: boolean; readonly left: number }> {
    const known = await this.all(workflow);
    const left = pause === undefined ? [] : known.filter((each) => pauseKey(each) !== pauseKey(pause));
    this.#pauses.set(workflow, left);
    return { cleared: left.length < known.length, left: left.length };
  }

  async noteRetry(name: string, since: number): Promise<void> {
    this.#retried.set(name, since);
  }

  async retriedSince(name: string): Promise<number | undefined> {
    return this.#retried.get(name);
  }

  async record(name: string, event: BreakerEvent): Promise<void> {
    this.#history.set(name, [...(this.#history.get(name) ?? []), event]);
  }

  async history(name: string): Promise<readonly BreakerEvent[]> {
    return this.#history.get(name) ?? [];
  }
}

/** Jobs that nobody takes: what was enqueued, and which queues are paused. */
export class MemoryJobQueue implements JobQueue {
  readonly slices: (SliceJob & { readonly workflow: string })[] = [];
  readonly finalize: FinalizeJob[] = [];
  readonly paused = new Set<string>();

  async enqueueSlices(workflow: string, jobs: readonly SliceJob[]): Promise<void> {
    this.slices.push(...jobs.map((job) => ({ ...job, workflow })));
  }

  async enqueueFinalize(job: FinalizeJob): Promise<void> {
    this.finalize.push(job);
  }

  async pause(workflow: string): Promise<void> {
    this.paused.add(workflow);
  }

  async resume(workflow: string): Promise<void> {
    this.paused.delete(workflow);
  }

  async isPaused(workflow: string): Promise<boolean> {
    return this.paused.has(workflow);
  }

  async pendingCount(workflow: string): Promise<number> {
    return this.slices.filter((job) => job.workflow === workflow).length;
  }

  async stateOf(queue: string): Promise<QueueState> {
    const waiting = await this.pendingCount(queue);
    return { counts: { waiting, active: 0, delayed: 0, failed: 0 }, paused: await this.isPaused(queue) };
  }

  async jobsOf(queue: string, state: JobState, most: number): Promise<readonly QueuedJob[]> {
    const jobs = state === 'waiting' ? this.slices.filter(({ workflow }) => workflow === queue) : [];
    return jobs.slice(0, most).map(({ batch, slice }) => ({ batch, slice, addedAt: 0, failures: 0 }));
  }

  async promoteAfter(_queue: string, _latest: number): Promise<number> {
    return 0;
  }

  async close(): Promise<void> {}
}
