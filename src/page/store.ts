import { type Signal, signal } from '@preact/signals';
import type { Batch, Budget } from './api-types.ts';

/** The one copy of each batch and budget that every view shows, so that no two of them can differ. */
const batches = new Map<string, Signal<Batch>>();
const budgets = new Map<string, Signal<Budget>>();

/** Ids that have come by events, newest last; views compare it with what they show. */
export const arrived = signal<readonly string[]>([]);
/** Grows whenever a batch changes its state, so that views can say that their order is old. */
export const stateChanges = signal(0);
export const budgetScopes = signal<readonly string[]>([]);

/** When each batch was last told of by an event, as `performance.now()` has it. */
const heardAt = new Map<string, number>();

/** What an event says is newer than all that was asked for before it. */
export function hearBatch(batch: Batch): void {
  heardAt.set(batch.id, performance.now());
  put(batch);
}

/** @param askedAt `performance.now()` at the request: what an event has said since is newer and stays */
export function keepBatch(batch: Batch, askedAt: number): void {
  const known = batches.get(batch.id)?.peek();
  const isOld = (heardAt.get(batch.id) ?? Number.NEGATIVE_INFINITY) >= askedAt;
  put(isOld && known !== undefined ? withModels(known, batch) : batch);
}

/** Models come only where one batch is asked for: neither an event nor a list makes them unknown again. */
function withModels(batch: Batch, { models }: Batch): Batch {
  return models === undefined ? batch : { ...batch, models };
}

function put(batch: Batch): void {
  const known = batches.get(batch.id);
  if (known === undefined) {
    batches.set(batch.id, signal(batch));
    arrived.value = [...arrived.value, batch.id];
    return;
  }
  const changed = known.value.state !== batch.state;
  known.value = batch.models === undefined ? withModels(batch, known.value) : batch;
  if (changed) stateChanges.value += 1;
}

export function batchOf(id: string): Signal<Batch> | undefined {
  return batches.get(id);
}

export function keepBudget(budget: Budget): void {
  const known = budgets.get(budget.scope);
  if (known !== undefined) {
    known.value = budget;
    return;
  }
  budgets.set(budget.scope, signal(budget));
  budgetScopes.value = [...budgetScopes.value, budget.scope];
}

export function budgetOf(scope: string): Signal<Budget> | undefined {
  return budgets.get(scope);
}
