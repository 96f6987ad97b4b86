import type { Caller } from '../access/api-key.ts';
import { maySee } from '../access/api-key.ts';
import type { App } from '../app.ts';
import { hasEnded } from '../batches/batch-states.ts';
import type { BatchStatus } from '../batches/batch-status.ts';
import { parseScope } from '../ledger/scope.ts';
import { usdJson } from '../money/money.ts';
import { listBudgets } from '../operations/budgets.ts';
import { listStatuses, readStatus } from '../operations/read-status.ts';
import { scheduleJson } from '../operations/schedules/schedule-json.ts';
import { listSchedules } from '../operations/schedules/schedules.ts';
import { statusJson } from '../operations/status-json.ts';

/** Every event carries the whole present state, so one that is missed is made good by the next. */
export interface ServerEvent {
  /** Milliseconds since the epoch; a client that comes back with it gets what has changed since. */
  readonly id: number;
  readonly event: 'batch' | 'breaker' | 'budget' | 'schedule';
  readonly data: string;
  readonly batchId?: string;
  /** Whose it is; absent: nobody's in particular. */
  readonly tenant?: string | undefined;
  /** Only operators may see it. */
  readonly operators?: boolean;
}

export interface Listener {
  readonly caller: Caller;
  /** Only this batch. */
  readonly batch?: string | undefined;
  send(event: ServerEvent): void;
}

const POLL_MS = 1_000;
const SHOWN_FIRST = 50;

/** One look at the cluster a second for all listeners of this server, and none while nobody listens. */
export class EventHub {
  readonly #app: App;
  readonly #listeners = new Set<Listener>();
  readonly #last = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  /** When the last look began, or the first listener came; milliseconds since the epoch. */
  #lookedAt = 0;

  constructor(app: App) {
    this.#app = app;
  }

  get size(): number {
    return this.#listeners.size;
  }

  /** Sends what is now, or what has changed since `lastId`, then every change. Returns how to stop. */
  async add(listener: Listener, lastId: number | undefined): Promise<() => void> {
    for (const event of await this.#snapshot(listener, lastId)) send(listener, event);
    if (this.#listeners.size === 0) this.#lookedAt = this.#app.clock.now();
    this.#listeners.add(listener);
    this.#timer ??= setInterval(() => void this.#look(), POLL_MS);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.close();
    };
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#last.clear();
  }

  async #snapshot({ batch, caller }: Listener, lastId: number | undefined): Promise<readonly ServerEvent[]> {
    const id = this.#app.clock.now();
    if (batch !== undefined) return batchEvents(id, await readStatus(this.#app, batch));
    const statuses = await listStatuses(this.#app, {
      limit: SHOWN_FIRST,
      visible: ({ tenant }) => maySee(caller, tenant),
    });
    const changed = statuses.filter(
      ({ state, finishedAt }) => lastId === undefined || !hasEnded(state) || (finishedAt ?? 0) >= lastId,
    );
    return changed.toReversed().flatMap((status) => batchEvents(id, status));
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      const id = this.#app.clock.now();
      const events = [...(await this.#batches(id)), ...(await this.#budgets(id)), ...(await this.#schedules(id))];
      this.#lookedAt = id;
      for (const event of events) {
        const key = `${event.event} ${event.batchId ?? event.data.slice(0, event.data.indexOf(','))}`;
        if (this.#last.get(key) === event.data) continue;
        this.#last.set(key, event.data);
        for (const listener of this.#listeners) send(listener, event);
      }
    } catch (error) {
      this.#app.log.warn('http:failed', { route: 'events', message: (error as Error).message });
    } finally {
      this.#looking = false;
    }
  }

  /** What is open, what was at the last look, and what has begun and ended between the two. */
  async #batches(id: number): Promise<readonly ServerEvent[]> {
    const open = (await this.#app.batches.listOpen()).map(({ batchId }) => batchId);
    const before = [...this.#last.keys()].flatMap((key) =>
      key.startsWith('batch ') ? [key.slice('batch '.length)] : [],
    );
    const events: ServerEvent[] = [];
    const short = (await this.#app.batches.list(SHOWN_FIRST)).flatMap(({ batchId, finishedAt }) =>
      finishedAt !== undefined && finishedAt >= this.#lookedAt ? [batchId] : [],
    );
    for (const batchId of new Set([...open, ...before, ...short])) {
      const status = await readStatus(this.#app, batchId).catch(() => undefined);
      if (status !== undefined) events.push(...batchEvents(id, status));
    }
    return events;
  }

  async #schedules(id: number): Promise<readonly ServerEvent[]> {
    return (await listSchedules(this.#app)).map((view) => ({
      id,
      event: 'schedule' as const,
      operators: true,
      data: JSON.stringify(scheduleJson(view)),
    }));
  }

  async #budgets(id: number): Promise<readonly ServerEvent[]> {
    return (await listBudgets(this.#app))
      .filter(({ scope }) => parseScope(scope.name)?.kind !== 'batch')
      .map(({ scope, settled, uncertain, held, limit }) => ({
        id,
        event: 'budget' as const,
        operators: true,
        data: JSON.stringify({
          scope: scope.name,
          period: scope.period,
          spentUsd: usdJson(settled),
          uncertainUsd: usdJson(uncertain),
          heldUsd: usdJson(held),
          limitUsd: limit === undefined ? null : usdJson(limit),
        }),
      }));
  }
}

function batchEvents(id: number, status: BatchStatus): readonly ServerEvent[] {
  const view = statusJson(status);
  const { batchId, tenant } = status;
  const breaker = JSON.stringify({ id: batchId, workflow: status.workflow, ...view.breaker });
  return [
    { id, event: 'batch', data: JSON.stringify(view), batchId, tenant },
    { id, event: 'breaker', data: breaker, batchId, tenant },
  ];
}

function send({ caller, batch, send: deliver }: Listener, event: ServerEvent): void {
  if (batch !== undefined && event.batchId !== batch) return;
  if (event.operators === true ? !caller.rights.has('operate') : !maySee(caller, event.tenant)) return;
  deliver(event);
}
