import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Admission, Outcome, Settlement } from '../../../src/ledger/ledger.ts';
import { batchScope, type Scope } from '../../../src/ledger/scope.ts';
import { commitOf, replyOf, ticketOf } from '../../contract/cluster.ts';
import { type RedisServer, startRedisServer } from '../../helpers/redis-server.ts';
import { Cluster, type TestWorker } from './fixture.ts';
import { LedgerModel, type ModelBatch, type ModelCall, type ModelLease } from './ledger-model.ts';

const RUNS = 20;
const STEPS = 1_500;
const WORKERS = 3;
const SLICES = 2;
/** Two batches of one workflow and one of another. */
const WORKFLOWS = ['triage', 'triage', 'digest'] as const;
const GLOBAL: Scope = { name: 'global/day', period: '2026-03-01' };
const workflowScope = (workflow: string): Scope => ({ name: `workflow:${workflow}/day`, period: '2026-03-01' });

const worker = fc.nat(WORKERS - 1);
const where = { batch: fc.nat(WORKFLOWS.length - 1), slice: fc.nat(SLICES - 1) };
/** Mostly the present owner's token. */
const stale = fc.nat(24).map((n) => n === 0);
const step = fc.oneof(
  {
    weight: 14,
    arbitrary: fc.record({ do: fc.constant('admit'), ...where, worker, stale, key: fc.nat(15), hold: fc.nat(100) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('admit again'), pick: fc.nat() }) },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('settle'),
      pick: fc.nat(),
      outcome: fc.constantFrom('reply', 'reply', 'reply', 'released', 'uncertain'),
      /** Share of the hold, in per cent; a few calls cost more than was held. */
      cost: fc.oneof({ weight: 40, arbitrary: fc.nat(100) }, { weight: 1, arbitrary: fc.constant(150) }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('settle again'), pick: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('claim'), ...where }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('end lease'), worker }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reap'), worker }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('set limit'), scope: fc.nat(5), limit: fc.nat(12_000) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('config limit'),
      scope: fc.nat(5),
      limit: fc.option(fc.nat(15_000), { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('commit'), ...where, stale, short: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('commit again'), ...where }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('seal'), batch: where.batch }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

let server: RedisServer;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server?.stop());

/** The real ledger and the model side by side. */
class Run {
  readonly #cluster: Cluster;
  readonly #model = new LedgerModel();
  readonly #workers: { readonly real: TestWorker; lease: ModelLease }[] = [];
  readonly #current: ModelBatch[] = [];

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  async start(): Promise<void> {
    for (let n = 0; n < WORKERS; n += 1) {
      this.#workers.push({ real: await this.#cluster.worker(), lease: { ended: false } });
    }
    for (const workflow of WORKFLOWS) this.#current.push(await this.#newBatch(workflow));
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

  #findSlice({ ticket }: ModelCall) {
    return this.#model.batches.find(({ batchId }) => batchId === ticket.claim.batchId)!.slices[ticket.claim.slice]!;
  }

  async admit(by: number, at: { batch: number; slice: number }, isStale: boolean, key: number, hold: number) {
    const { batch, slice } = this.#sliceOf(at);
    const token = isStale ? slice.tokens[0] : slice.tokens.at(-1);
    if (token === undefined) return;
    const { batchId, workflow } = batch;
    const claim = { batchId, workflow, slice: at.slice, token, timezones: { workflow: 'UTC', global: 'UTC' } };
    const ticket = ticketOf(claim, hold, { callKey: `key-${key}`, scopes: this.#scopesOf(batch) });
    await this.#admit({ ticket, worker: by }, batch);
  }

  async admitAgain(pick: number) {
    const call = this.#pick(pick, ({ outcome }) => outcome === undefined);
    if (call !== undefined) await this.#admit(call);
  }

  async #admit(call: ModelCall, newIn?: ModelBatch) {
    const by = this.#workers[call.worker]!;
    const expected = this.#model.admit(this.#findSlice(call), call, () => {
      // A worker whose lease has ended gets a new one on the way.
      if (by.lease.ended) by.lease = { ended: false };
      return by.lease;
    }) as { kind: string };
    const admission: Admission = await by.real.ledger.admit(call.ticket);
    expect(admission.kind === 'replay' ? { kind: 'replay', cost: admission.entry.cost } : admission).toEqual(expected);
    if (expected.kind === 'admitted') newIn?.calls.push(call);
    else call.abandoned = true;
  }

  async settle(pick: number, kind: Outcome['kind'], percent: number) {
    const call = this.#pick(pick, ({ outcome }) => outcome === undefined);
    if (call === undefined) return;
    const cost = Math.round((call.ticket.hold * percent) / 100);
    call.outcome = kind === 'reply' ? replyOf(cost) : kind === 'released' ? { kind } : { kind, reason: 'timeout' };
    await this.#settle(call, call.outcome);
  }

  async settleAgain(pick: number) {
    const call = this.#pick(
      pick,
      ({ outcome, settled, listed }) => outcome !== undefined && (settled ?? listed) !== undefined,
    );
    if (call?.outcome === undefined) return;
    const before = { settled: call.settled, listed: call.listed };
    await this.#settle(call, call.outcome);
    expect({ settled: call.settled, listed: call.listed }).toEqual(before);
  }

  async #settle(call: ModelCall, outcome: Outcome) {
    const expected = this.#model.settle(this.#findSlice(call), call, outcome);
    const settlement: Settlement = await this.#workers[call.worker]!.real.ledger.settle(call.ticket, outcome);
    const seen = settlement.kind === 'duplicate' ? { kind: 'duplicate', cost: settlement.entry.cost } : settlement;
    expect(seen).toEqual(expected);
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
    const by = this.#workers[index]!;
    by.lease.ended = true;
    await this.#cluster.endLease(by.real.lease.workerId);
  }

  async reap(index: number) {
    const expected = this.#model.reap();
    expect(await this.#workers[index]!.real.ledger.reapDeadWorkers()).toBe(expected);
  }

  async setLimit(index: number, limit: number) {
    const scope = this.#allScopes()[index]!;
    this.#model.limits.set(scope.name, { ...this.#model.limits.get(scope.name), set: limit });
    this.#model.limitChanged(scope);
    await this.#workers[0]!.real.ledger.setLimit(scope.name, limit);
  }

  async configLimit(index: number, limit: number | undefined) {
    const scope = this.#allScopes()[index]!;
    if (this.#model.limits.get(scope.name)?.config !== limit) {
      this.#model.limits.set(scope.name, { ...this.#model.limits.get(scope.name), config: limit });
      this.#model.limitChanged(scope);
    }
    await this.#workers[0]!.real.ledger.applyConfigLimits(new Map([[scope.name, limit]]), 'replace');
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
    const calls = this.#model.calls().filter((call) => call.abandoned !== true && wanted(call));
    return calls[pick % calls.length];
  }

  /** Every total equals the model's, no limit is exceeded, and wide scopes are the sums of narrow ones. */
  async check(): Promise<void> {
    const { ledger } = this.#workers[0]!.real;
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
    const { ledger } = this.#workers[0]!.real;
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
    const { ledger } = this.#workers[0]!.real;
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

async function perform(run: Run, made: Step): Promise<unknown> {
  switch (made.do) {
    case 'admit':
      return await run.admit(made.worker, made, made.stale, made.key, made.hold);
    case 'admit again':
      return await run.admitAgain(made.pick);
    case 'settle':
      return await run.settle(made.pick, made.outcome, made.cost);
    case 'settle again':
      return await run.settleAgain(made.pick);
    case 'claim':
      return await run.claim(made);
    case 'end lease':
      return await run.endLease(made.worker);
    case 'reap':
      return await run.reap(made.worker);
    case 'set limit':
      return await run.setLimit(made.scope, made.limit);
    case 'config limit':
      return await run.configLimit(made.scope, made.limit);
    case 'commit':
      return await run.commit(made, made.stale, made.short);
    case 'commit again':
      return await run.commitAgain(made);
    case 'seal':
      return await run.seal(made.batch);
  }
}

test('the ledger equals a plain model of it after every step of random interleavings', {
  timeout: 60_000,
}, async () => {
  const redis = await server.connect();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: STEPS, size: 'max' }), async (steps) => {
      const cluster = new Cluster(redis);
      const run = new Run(cluster);
      await run.start();
      try {
        for (const made of steps) {
          await perform(run, made);
          await run.check();
        }
        await run.checkAll();
      } finally {
        await cluster.stop();
      }
    }),
    { numRuns: RUNS, interruptAfterTimeLimit: 45_000, markInterruptAsFailure: true },
  );
});
