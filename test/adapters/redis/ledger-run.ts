import type { Redis } from 'ioredis';
import { expect } from 'vitest';
import { ADMIT } from '../../../src/adapters/redis/scripts/admit.ts';
import { SETTLE } from '../../../src/adapters/redis/scripts/settle.ts';
import type { Admission, Outcome, Settlement } from '../../../src/ledger/ledger.ts';
import { batchScope, type Scope } from '../../../src/ledger/scope.ts';
import { commitOf, replyOf, ticketOf } from '../../contract/cluster.ts';
import { Cluster, type TestWorker } from './fixture.ts';
import { LedgerModel, type ModelBatch, type ModelCall, type ModelLease } from './ledger-model.ts';
import { withLostAnswers } from './lost-answers.ts';

export const WORKERS = 3;
export const SLICES = 2;
/** Two batches of one workflow and one of another. */
export const WORKFLOWS = ['triage', 'triage', 'digest'] as const;
const GLOBAL: Scope = { name: 'global/day', period: '2026-03-01' };
const workflowScope = (workflow: string): Scope => ({ name: `workflow:${workflow}/day`, period: '2026-03-01' });

interface Place {
  readonly batch: number;
  readonly slice: number;
}

interface Asked {
  readonly call: ModelCall;
  readonly batch: ModelBatch;
  readonly outcome?: Outcome;
  /** What the model owes each time that a script decides about it. */
  readonly answers: unknown[];
}

/** The real ledger and the model side by side. */
export class Run {
  readonly #cluster: Cluster;
  readonly #model = new LedgerModel();
  readonly #workers: TestWorker[] = [];
  /** By worker id. */
  readonly #leases = new Map<string, ModelLease>();
  readonly #current: ModelBatch[] = [];
  /** What is asked in this turn, by call id. */
  readonly #asked = new Map<string, Asked>();
  /** So many of the next scripts lose their answer. */
  #losing = 0;

  constructor(redis: Redis) {
    // The model decides in the order in which the scripts are sent, call by call: the connection keeps it.
    this.#cluster = new Cluster(
      withLostAnswers(redis, {
        isLost: () => this.#losing > 0 && this.#losing-- > 0,
        onSend: (sha1, turnJson) => this.#decide(sha1, turnJson),
      }),
    );
  }

  async start(): Promise<void> {
    for (let n = 0; n < WORKERS; n += 1) this.#workers.push(await this.#cluster.worker());
    for (const workflow of WORKFLOWS) this.#current.push(await this.#newBatch(workflow));
    // The server knows them from the start: each is sent once and decided once.
    for (const { source } of [ADMIT, SETTLE]) await this.#cluster.redis.script('LOAD', source);
  }

  async #newBatch(workflow: string): Promise<ModelBatch> {
    const slices = Array.from({ length: SLICES }, () => ({ fence: undefined, tokens: [], journal: new Map() }));
    const batch = { batchId: await this.#cluster.queuedBatch(SLICES), workflow, slices, calls: [], sealed: false };
    this.#model.batches.push(batch);
    return batch;
  }

  #scopesOf(batch: ModelBatch): readonly Scope[] {
    return [batchScope(batch.batchId), workflowScope(batch.workflow), GLOBAL];
  }

  #allScopes(): readonly Scope[] {
    const batches = this.#current.map(({ batchId }) => batchScope(batchId));
    return [...batches, workflowScope('triage'), workflowScope('digest'), GLOBAL];
  }

  #sliceOf(at: { batch: number; slice: number }) {
    const batch = this.#current[at.batch]!;
    return { batch, slice: batch.slices[at.slice]! };
  }

  #batchOf({ ticket }: ModelCall): ModelBatch {
    return this.#model.batches.find(({ batchId }) => batchId === ticket.claim.batchId)!;
  }

  #findSlice(call: ModelCall) {
    return this.#batchOf(call).slices[call.ticket.claim.slice]!;
  }

  /** What a script owes to each of its calls. */
  #decide(sha1: string, turnJson: string): void {
    if (sha1 !== ADMIT.sha1 && sha1 !== SETTLE.sha1) return;
    const turn = JSON.parse(turnJson) as { readonly worker?: string; readonly calls: readonly unknown[][] };
    for (const row of turn.calls) {
      const asked = this.#asked.get(String(row[1]));
      if (asked === undefined) throw new Error('A script has a call that nobody asked for');
      asked.answers.push(
        sha1 === ADMIT.sha1 ? this.#decideAdmission(asked, turn.worker ?? '') : this.#settleModel(asked),
      );
    }
  }

  #decideAdmission({ call, batch }: Asked, workerId: string): unknown {
    const lease = this.#leases.get(workerId) ?? { ended: false };
    this.#leases.set(workerId, lease);
    const answer = this.#model.admit(this.#findSlice(call), call, lease) as { readonly kind: string };
    if (answer.kind === 'admitted' && !batch.calls.includes(call)) batch.calls.push(call);
    return answer;
  }

  #settleModel({ call, outcome }: Asked): unknown {
    if (outcome === undefined) throw new Error('A call is settled without an outcome');
    return this.#model.settle(this.#findSlice(call), call, outcome);
  }

  /** All of it in one turn of the event loop, and so many of its scripts sent twice. */
  async turn(parts: readonly (() => Promise<void>)[], lost: number): Promise<void> {
    this.#losing = lost;
    this.#asked.clear();
    await Promise.all(parts.map((part) => part()));
    this.#losing = 0;
  }

  async admit(by: number, at: Place, isStale: boolean, key: number, hold: number, times = 1): Promise<void> {
    const { batch, slice } = this.#sliceOf(at);
    const token = isStale ? slice.tokens[0] : slice.tokens.at(-1);
    if (token === undefined) return;
    const { batchId, workflow } = batch;
    const claim = { batchId, workflow, slice: at.slice, token, timezones: { workflow: 'UTC', global: 'UTC' } };
    const ticket = ticketOf(claim, hold, { callKey: `key-${key}`, scopes: this.#scopesOf(batch) });
    await this.#admit({ call: { ticket, worker: by }, batch, answers: [] }, times);
  }

  async admitAgain(pick: number): Promise<void> {
    const call = this.#pick(pick, ({ outcome }) => outcome === undefined);
    if (call !== undefined) await this.#admit({ call, batch: this.#batchOf(call), answers: [] }, 1);
  }

  /** @param times so often in the same turn */
  async #admit(asked: Asked, times: number): Promise<void> {
    const { call } = asked;
    this.#asked.set(call.ticket.callId, asked);
    const { ledger } = this.#workers[call.worker]!;
    const seen = await Promise.all(Array.from({ length: times }, () => ledger.admit(call.ticket)));
    const owed = asked.answers.slice(-times);
    expect(seen.map(withoutEntry)).toEqual(owed);
    if ((owed.at(-1) as Admission).kind !== 'admitted') call.abandoned = true;
  }

  async settle(pick: number, kind: Outcome['kind'], percent: number, times = 1): Promise<void> {
    const call = this.#pick(pick, ({ outcome }) => outcome === undefined);
    if (call === undefined) return;
    const cost = Math.round((call.ticket.hold * percent) / 100);
    call.outcome = kind === 'reply' ? replyOf(cost) : kind === 'released' ? { kind } : { kind, reason: 'timeout' };
    await this.#settle(call, call.outcome, times);
  }

  async settleAgain(pick: number): Promise<void> {
    const call = this.#pick(
      pick,
      ({ outcome, settled, listed }) => outcome !== undefined && (settled ?? listed) !== undefined,
    );
    if (call?.outcome === undefined) return;
    const before = { settled: call.settled, listed: call.listed };
    await this.#settle(call, call.outcome, 1);
    expect({ settled: call.settled, listed: call.listed }).toEqual(before);
  }

  async #settle(call: ModelCall, outcome: Outcome, times: number): Promise<void> {
    const asked: Asked = { call, batch: this.#batchOf(call), outcome, answers: [] };
    this.#asked.set(call.ticket.callId, asked);
    const { ledger } = this.#workers[call.worker]!;
    const seen = await Promise.all(Array.from({ length: times }, () => ledger.settle(call.ticket, outcome)));
    expect(seen.map(withoutEntry)).toEqual(asked.answers.slice(-times));
  }

  async claim(at: { batch: number; slice: number }) {
    const { batch, slice } = this.#sliceOf(at);
    const claimed = await this.#cluster.batches.claimSlice(batch.batchId, at.slice);
    if (slice.fence === 'done') return expect(claimed).toEqual({ kind: 'done' });
    if (claimed.kind !== 'owned') throw new Error(`A claim was ${claimed.kind}`);
    expect(slice.tokens).not.toContain(claimed.token);
    slice.tokens.push(claimed.token);
    slice.fence = claimed.token;
  }

  async endLease(index: number) {
    const { workerId } = this.#workers[index]!.lease;
    const lease = this.#leases.get(workerId) ?? { ended: false };
    this.#leases.set(workerId, lease);
    lease.ended = true;
    await this.#cluster.endLease(workerId);
  }

  async reap(index: number) {
    const expected = this.#model.reap();
    expect(await this.#workers[index]!.ledger.reapDeadWorkers()).toBe(expected);
  }

  async setLimit(index: number, limit: number) {
    const scope = this.#allScopes()[index]!;
    this.#model.limits.set(scope.name, { ...this.#model.limits.get(scope.name), set: limit });
    this.#model.limitChanged(scope);
    await this.#workers[0]!.ledger.setLimit(scope.name, limit);
  }

  async configLimit(index: number, limit: number | undefined) {
    const scope = this.#allScopes()[index]!;
    if (this.#model.limits.get(scope.name)?.config !== limit) {
      this.#model.limits.set(scope.name, { ...this.#model.limits.get(scope.name), config: limit });
      this.#model.limitChanged(scope);
    }
    await this.#workers[0]!.ledger.applyConfigLimits(new Map([[scope.name, limit]]), 'replace');
  }

  async commit(at: { batch: number; slice: number }, isStale: boolean, short: boolean) {
    const { batch, slice } = this.#sliceOf(at);
    const token = isStale ? slice.tokens[0] : slice.tokens.at(-1);
    if (token === undefined || slice.committed !== undefined) return;
    const cost = [...slice.journal.values()].reduce((sum, one) => sum + one, 0);
    const entries = slice.journal.size - (short ? 1 : 0);
    const result = await this.#commit(batch, at.slice, { token, cost, entries });
    if (slice.fence !== token) return expect(result).toEqual({ kind: 'fenced' });
    if (short) return expect(result).toEqual({ kind: 'journal_changed' });
    slice.committed = { token, cost, entries };
    slice.fence = 'done';
    slice.journal = new Map();
    expect(result).toEqual({ kind: 'committed', slicesLeft: this.#slicesLeft(batch) });
  }

  async commitAgain(at: { batch: number; slice: number }) {
    const { batch, slice } = this.#sliceOf(at);
    if (slice.committed === undefined) return;
    const result = await this.#commit(batch, at.slice, slice.committed);
    expect(result).toEqual({ kind: 'committed', slicesLeft: this.#slicesLeft(batch) });
  }

  #commit(
    batch: ModelBatch,
    slice: number,
    { token, cost, entries }: { token: string; cost: number; entries: number },
  ) {
    const commit = commitOf(token, { cost, journalEntries: entries });
    return this.#cluster.batches.commitSlice(batch.batchId, slice, token, commit);
  }

  #slicesLeft(batch: ModelBatch): number {
    return batch.slices.filter(({ committed }) => committed === undefined).length;
  }

  /** A sealed batch makes room for a new one. */
  async seal(index: number) {
    const batch = this.#current[index]!;
    const result = await this.#cluster.batches.seal(batch.batchId);
    if (this.#slicesLeft(batch) > 0) {
      expect(result).toEqual({ kind: 'slices_left', count: this.#slicesLeft(batch) });
      return;
    }
    const open = this.#model.open(batch);
    if (open > 0) return expect(result).toEqual({ kind: 'calls_open', count: open });
    expect(result).toEqual({ kind: 'sealed' });
    batch.sealed = true;
    for (const slice of batch.slices) slice.fence = undefined;
    this.#current[index] = await this.#newBatch(batch.workflow);
    await this.checkBatch(batch);
  }

  #pick(pick: number, wanted: (call: ModelCall) => boolean): ModelCall | undefined {
    const free = this.#model.calls().filter((call) => call.abandoned !== true && !this.#isAsked(call));
    const calls = free.filter(wanted);
    return calls[pick % calls.length];
  }

  /** A call is asked about once in a turn. */
  #isAsked({ ticket }: ModelCall): boolean {
    return this.#asked.has(ticket.callId);
  }

  async stop(): Promise<void> {
    await this.#cluster.stop();
  }

  /** Every total equals the model's, no limit is exceeded, and wide scopes are the sums of narrow ones. */
  async check(): Promise<void> {
    const { ledger } = this.#workers[0]!;
    const scopes = this.#allScopes();
    const seen = await Promise.all(scopes.map((scope) => ledger.totals(scope)));
    expect(seen).toEqual(scopes.map((scope) => this.#model.totals(scope)));
    for (const [index, { settled, uncertain, held, limit }] of seen.entries()) {
      const { name } = scopes[index]!;
      if (limit === undefined) continue;
      const within = settled + uncertain + held <= limit;
      if (!this.#model.mayExceed.has(name)) expect(within, name).toBe(true);
      if (within) this.#model.mayExceed.delete(name);
    }
    expect(await Promise.all(this.#current.map(({ batchId }) => ledger.openCalls(batchId)))).toEqual(
      this.#current.map((batch) => this.#model.open(batch)),
    );
  }

  async checkAll(): Promise<void> {
    for (const batch of this.#model.batches) await this.checkBatch(batch);
    const { ledger } = this.#workers[0]!;
    const sumOf = async (scopes: readonly Scope[]) => {
      const all = await Promise.all(scopes.map((scope) => ledger.totals(scope)));
      return (['settled', 'uncertain', 'held'] as const).map((part) => all.reduce((sum, one) => sum + one[part], 0));
    };
    for (const workflow of ['triage', 'digest']) {
      const own = this.#model.batches.filter((batch) => batch.workflow === workflow);
      expect(await sumOf(own.map(({ batchId }) => batchScope(batchId)))).toEqual(
        await sumOf([workflowScope(workflow)]),
      );
    }
    expect(await sumOf([workflowScope('triage'), workflowScope('digest')])).toEqual(await sumOf([GLOBAL]));
  }

  /** Journal and committed rows add up to what is settled, and the list of uncertain calls to what is uncertain. */
  async checkBatch(batch: ModelBatch): Promise<void> {
    const { ledger } = this.#workers[0]!;
    const totals = await ledger.totals(batchScope(batch.batchId));
    let rows = 0;
    for await (const commit of this.#cluster.batches.commits(batch.batchId, SLICES)) rows += commit?.cost ?? 0;
    for (const [number] of batch.slices.entries()) {
      for (const entry of (await ledger.journal(batch.batchId, number)).values()) rows += entry.cost;
    }
    expect(rows).toBe(totals.settled);
    const listed = await ledger.uncertainCalls(batch.batchId);
    expect(listed.reduce((sum, call) => sum + call.cost, 0)).toBe(totals.uncertain);
    expect(listed.map(({ callId }) => callId).sort()).toEqual(
      batch.calls
        .filter((call) => call.listed !== undefined)
        .map(({ ticket }) => ticket.callId)
        .sort(),
    );
  }
}

/** Of a reply only its cost is compared. */
function withoutEntry(answer: Admission | Settlement): unknown {
  if (answer.kind !== 'replay' && answer.kind !== 'duplicate') return answer;
  return { kind: answer.kind, cost: answer.entry.cost };
}
