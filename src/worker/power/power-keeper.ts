import type { ClusterMemory } from '../../batches/cluster-memory.ts';
import type { Notify } from '../../budgets/notice.ts';
import type { StopReason } from '../../calls/stop.ts';
import type { CallOwners } from '../../ledger/call-owners.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { type BatchOwner, scopesOf, type Timezones } from '../../ledger/scope.ts';
import { formatUsd } from '../../money/money.ts';
import { NO_USAGE } from '../../money/usage.ts';
import {
  decidePower,
  nextPayment,
  POWERED_OFF,
  type PowerMachine,
  type PowerNeed,
  type PowerRecord,
  type PowerSettings,
  sharesOf,
  splitEvenly,
} from '../../providers/power.ts';
import { addToPowerBook, type PowerShare } from '../../providers/power-book.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { ObjectStore } from '../../store/object-store.ts';

type BudgetStop = Extract<StopReason, { kind: 'budget' }>;

export interface PowerContext {
  readonly powered: ReadonlyMap<string, PowerSettings>;
  readonly machine: PowerMachine;
  readonly clock: Clock;
  readonly log: Log;
  readonly ledger: Ledger;
  readonly owners: Pick<CallOwners, 'open' | 'forget'>;
  /** Where it is kept whose time it was. */
  readonly store: ObjectStore;
  readonly memory: Pick<ClusterMemory, 'takeTurn' | 'noted' | 'note'>;
  readonly newId: () => string;
  readonly notify: Notify;
  /** Workflows whose open batches may ask the provider, and those batches. */
  readonly neededBy: (provider: string) => Promise<readonly PowerNeed[]>;
  readonly timezonesOf: (workflow: string) => Timezones;
  /** Pauses what a limit stops, until it is raised or its period ends. */
  readonly openBreaker: (owner: BatchOwner & { readonly timezones: Timezones }, reason: BudgetStop) => Promise<void>;
}

/** A process that dies between taking a change and noting it is stood in for after this. */
const CHANGE_MS = 60_000;

export const powerNote = (provider: string) => `power:${provider}`;

export function readPower(noted: string | undefined): PowerRecord {
  return noted === undefined ? POWERED_OFF : (JSON.parse(noted) as PowerRecord);
}

/** In whose name a workflow's part of a server's time is booked. */
function runOf(provider: string, workflow: string): string {
  return `power-${provider}-${workflow}`;
}

/** Keeps the servers of a cluster on or off, each by its own steps: one that fails holds up no other. */
export class PowerKeeper {
  readonly #context: PowerContext;
  readonly #busy = new Map<string, Promise<void>>();

  constructor(context: PowerContext) {
    this.#context = context;
  }

  /** Begins what is due for each server; commands may continue after it. */
  async round(): Promise<void> {
    const { powered, neededBy, log } = this.#context;
    for (const [name, settings] of powered) {
      if (this.#busy.has(name)) continue;
      const needed = await neededBy(name);
      const work = this.#step(name, settings, needed)
        .catch((error: Error) => log.warn('housekeeping:failed', { message: error.message }))
        .finally(() => this.#busy.delete(name));
      this.#busy.set(name, work);
    }
  }

  /** When every command has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#busy.values());
  }

  async stopAll(why: string): Promise<void> {
    for (const [name, settings] of this.#context.powered) {
      const record = await this.#read(name);
      if (record.state === 'starting' || record.state === 'on') await this.#stop(name, settings, record, why);
    }
  }

  async #step(name: string, settings: PowerSettings, needs: readonly PowerNeed[]): Promise<void> {
    const { clock, machine } = this.#context;
    const record = await this.#read(name);
    const now = clock.now();
    const needed = needs.map(({ workflow }) => workflow);
    switch (decidePower(record, settings, needed.length > 0, now)) {
      case 'none':
        return;
      case 'start':
        return await this.#start(name, settings, { ...record, workflows: needed }, needs);
      case 'stop':
        return await this.#stop(name, settings, record, 'no open batch needs it');
      case 'give_up':
        return await this.#fail(name, settings, record, 'it was not ready within 15 minutes');
      case 'pay': {
        const workflows = needed.length > 0 ? needed : record.workflows;
        const refused = await this.#pay(name, settings, { ...record, workflows }, needs);
        if (typeof refused === 'string') return await this.#stop(name, settings, record, refused);
        return await this.#note(name, { ...record, workflows, paidUntil: refused });
      }
      case 'note': {
        const { idleSince: _, ...rest } = record;
        const isNeeded = needed.length > 0;
        return await this.#note(name, isNeeded ? { ...rest, workflows: needed } : { ...record, idleSince: now });
      }
      case 'look': {
        if (!(await machine.isReady(settings.ready))) return;
        this.#context.log.info('power:ready', {
          provider: name,
          afterSeconds: Math.round((now - record.since) / 1000),
        });
        return await this.#note(name, { ...record, state: 'on', since: now });
      }
    }
  }

  async #start(name: string, settings: PowerSettings, before: PowerRecord, needs: readonly PowerNeed[]): Promise<void> {
    const { clock, log, machine } = this.#context;
    if (!(await this.#takes(name, before))) return;
    const { paidUntil: _, idleSince: __, why: ___, ...known } = before;
    const begun = { ...known, state: 'starting', since: clock.now(), step: before.step + 1 } as const;
    const paid = await this.#pay(name, settings, begun, needs);
    if (typeof paid === 'string') {
      await this.#note(name, { ...begun, state: 'off', why: paid });
      log.warn('power:refused', { provider: name, reason: paid });
      return;
    }
    const record = { ...begun, paidUntil: paid };
    await this.#note(name, record);
    log.info('power:starting', { provider: name, workflows: record.workflows });
    const { why } = await machine.run(settings.start);
    if (why !== undefined) await this.#fail(name, settings, record, `its start command failed: ${why}`);
  }

  async #stop(name: string, settings: PowerSettings, record: PowerRecord, why: string): Promise<void> {
    const { clock, log, machine } = this.#context;
    if (!(await this.#takes(name, record))) return;
    const { workflows } = record;
    const off: PowerRecord = { state: 'off', since: clock.now(), step: record.step + 1, workflows, why };
    await this.#note(name, off);
    const failed = (await machine.run(settings.stop)).why;
    await this.#closeOwners(name, record);
    log.info('power:stopped', { provider: name, reason: why });
    if (failed === undefined) return;
    await this.#noteFailure(name, off, `its stop command failed, so it may run on and cost money: ${failed}`);
  }

  /** What has half started is stopped, so that it costs nothing. */
  async #fail(name: string, settings: PowerSettings, record: PowerRecord, why: string): Promise<void> {
    await this.#noteFailure(name, record, why);
    const { why: alsoFailed } = await this.#context.machine.run(settings.stop);
    if (alsoFailed === undefined) return;
    this.#context.log.warn('power:failed', { provider: name, reason: `its stop command failed too: ${alsoFailed}` });
  }

  async #noteFailure(name: string, { workflows, step }: PowerRecord, why: string): Promise<void> {
    const { clock, log, notify } = this.#context;
    const since = clock.now();
    await this.#note(name, { state: 'failed', since, step: step + 1, workflows, why });
    log.error('power:failed', { provider: name, reason: why });
    await notify({
      event: 'power:failed',
      subject: name,
      message: `Provider ${name}: ${why}. It is tried again in five minutes while a batch needs it; look at providers.${name}.power.`,
      key: `${name}|${why}|${Math.floor(since / 3_600_000)}`,
    });
  }

  /** @returns until when its time is booked; or why it cannot be */
  async #pay(
    name: string,
    { perHour }: PowerSettings,
    record: PowerRecord,
    needs: readonly PowerNeed[],
  ): Promise<number | string> {
    const { clock, store } = this.#context;
    const { from, until, cost } = nextPayment(record, perHour, clock.now());
    const { workflows } = record;
    const costs = cost === undefined ? undefined : splitEvenly(cost, workflows.length);
    const times = splitEvenly(until - from, workflows.length);
    const shares: PowerShare[] = [];
    for (const [index, workflow] of workflows.entries()) {
      const [ms = 0, part] = [times[index], costs?.[index]];
      const refused = part === undefined ? undefined : await this.#book(name, workflow, { from, until, cost: part });
      if (refused !== undefined) {
        await addToPowerBook(store, name, from, shares);
        return refused;
      }
      const need = needs.find((each) => each.workflow === workflow) ?? { workflow, batches: [] };
      shares.push(...sharesOf(need, name, part === undefined ? { ms } : { ms, cost: part }));
    }
    await addToPowerBook(store, name, from, shares);
    return until;
  }

  /** @returns why a workflow's part cannot be booked; undefined: it is, now or before */
  async #book(
    name: string,
    workflow: string,
    { from, until, cost: hold }: Required<ReturnType<typeof nextPayment>>,
  ): Promise<string | undefined> {
    const { clock, ledger, owners, newId, timezonesOf, openBreaker } = this.#context;
    const at = clock.now();
    const timezones = timezonesOf(workflow);
    const claim = await owners.open({ id: runOf(name, workflow), workflow, timezones });
    const callKey = `power ${from}`;
    const model = `power:${name}`;
    const ticket = { claim, callId: newId(), callKey, model, at, hold, scopes: scopesOf(claim, at, timezones) };
    const admission = await ledger.admit(ticket);
    if (admission.kind === 'refused') {
      const { refusal } = admission;
      await openBreaker({ ...claim, timezones }, { kind: 'budget', refusal, hold });
      return `the limit ${formatUsd(refusal.limit)} of ${refusal.scope} cannot pay its next minute, ${formatUsd(hold)}`;
    }
    if (admission.kind !== 'admitted') return undefined;
    const reply = { text: '', finish: 'stop' } as const;
    const entry = { document: 0, model, tier: 0, reply, usage: NO_USAGE, cost: hold, durationMs: until - from };
    await ledger.settle(ticket, { kind: 'reply', entry });
    return undefined;
  }

  /** What its time has cost stays booked in the workflows' scopes and the global ones. */
  async #closeOwners(name: string, { workflows }: PowerRecord): Promise<void> {
    for (const workflow of workflows) await this.#context.owners.forget(runOf(name, workflow));
  }

  async #takes(name: string, { step }: PowerRecord): Promise<boolean> {
    return await this.#context.memory.takeTurn(`power-${name}-${step}`, CHANGE_MS);
  }

  async #read(name: string): Promise<PowerRecord> {
    return readPower(await this.#context.memory.noted(powerNote(name)));
  }

  async #note(name: string, record: PowerRecord): Promise<void> {
    await this.#context.memory.note(powerNote(name), JSON.stringify(record));
  }
}
