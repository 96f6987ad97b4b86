import type { JournalEntry } from '../../ledger/journal-entry.ts';
import type {
  Admission,
  CallTicket,
  FoundQuota,
  Ledger,
  Outcome,
  QuotaReport,
  ReapedCall,
  ScopeTotals,
  Settlement,
  UncertainCall,
} from '../../ledger/ledger.ts';
import { batchScope, type Scope, type ScopeName } from '../../ledger/scope.ts';
import type { NanoUsd } from '../../money/money.ts';
import { REDIS_FORMAT } from './format-stamp.ts';
import { readFoundQuota } from './found-quota.ts';
import { formatHoldRecord, heldAmount, OTHER_COUNTS, parseHold, uncertainDetails } from './hold-record.ts';
import { decodeEntry, encodeEntry } from './journal-codec.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisClient } from './redis-options.ts';
import { readLimit, readTotals } from './scope-totals.ts';
import { APPLY_CONFIG_LIMITS, SET_LIMIT } from './scripts/limits.ts';
import { encodeReport, isBlip, QUOTA_FEEDBACK } from './scripts/quota.ts';
import { FORGET_WORKER, REAP } from './scripts/reap.ts';
import { RESTORE } from './scripts/restore.ts';
import { runScript } from './scripts/run-script.ts';
import { SERVER } from './scripts/server.ts';
import { type AdmissionAnswer, type AskingCall, admissionTurns } from './turns/admissions.ts';
import { type EndedCall, SETTLE_GATHER_MS, settlementTurns } from './turns/settlements.ts';
import { NO_POOL } from './turns/turn-table.ts';
import type { Turns } from './turns/turns.ts';

/** What a worker has learnt; the pipeline's `InputRatios`. */
interface RatioBook {
  readonly all: ReadonlyMap<string, { readonly calls: number; readonly most: number }>;
  merge(model: string, other: { readonly calls: number; readonly most: number }): void;
}

/** The worker's own side of its lease: holds are filed under its id. */
export interface LeaseHolder {
  readonly workerId: string;
  /** Called when the server says that the lease has ended; returns when a new one stands. */
  renew(): Promise<void>;
}

export class RedisLedger implements Ledger {
  readonly #redis: RedisClient;
  readonly #keys: RedisKeys;
  readonly #lease: LeaseHolder;
  readonly #admissions: Turns<AskingCall, AdmissionAnswer>;
  readonly #settlements: Turns<EndedCall, Settlement>;
  /** Holds stay under the worker id they were made with, also when the lease was renewed under another one. */
  readonly #heldBy = new Map<string, string>();

  /** @param gatherMs how long a call waits to be settled together with others, in milliseconds */
  constructor(redis: RedisClient, keys: RedisKeys, lease: LeaseHolder, gatherMs = SETTLE_GATHER_MS) {
    this.#redis = redis;
    this.#keys = keys;
    this.#lease = lease;
    this.#admissions = admissionTurns(redis, keys);
    this.#settlements = settlementTurns(redis, keys, gatherMs);
  }

  async admit(ticket: CallTicket): Promise<Admission> {
    const workerId = this.holderOf(ticket);
    const admission = await this.#admissions.add({ ticket, workerId });
    if (admission.kind === 'admitted') this.#heldBy.set(ticket.callId, workerId);
    if (admission.kind !== 'lease_lost') return admission;
    this.#heldBy.delete(ticket.callId);
    // Whoever keeps that lease has let it end, and its calls are booked.
    if (ticket.lease !== undefined) return { kind: 'fenced' };
    await this.#lease.renew();
    return await this.admit(ticket);
  }

  async settle(ticket: CallTicket, outcome: Outcome): Promise<Settlement> {
    const workerId = this.holderOf(ticket);
    const entry = outcome.kind === 'reply' ? { entry: encodeEntry(outcome.entry) } : {};
    const settlement = await this.#settlements.add({ ticket, workerId, outcome, ...entry });
    this.#heldBy.delete(ticket.callId);
    return settlement;
  }

  async journal(batchId: string, slice: number): Promise<ReadonlyMap<string, JournalEntry>> {
    const stored = await this.#redis.hgetallBuffer(this.#keys.journal(batchId, slice));
    return new Map(Object.entries(stored).map(([callKey, bytes]) => [callKey, decodeEntry(bytes)]));
  }

  async totals(scope: Scope): Promise<ScopeTotals> {
    return await readTotals(this.#redis, this.#keys, scope);
  }

  async limit(scope: ScopeName): Promise<NanoUsd | undefined> {
    return await readLimit(this.#redis, this.#keys, scope);
  }

  async setLimit(scope: ScopeName, limit: NanoUsd): Promise<void> {
    const keys = [this.#keys.limits, this.#keys.format];
    await runScript(this.#redis, SET_LIMIT, keys, [`set:${scope}`, limit, REDIS_FORMAT]);
  }

  async clearLimit(scope: ScopeName): Promise<void> {
    await this.#redis.hdel(this.#keys.limits, `set:${scope}`);
  }

  async applyConfigLimits(
    limits: ReadonlyMap<ScopeName, NanoUsd | undefined>,
    how: 'replace' | 'fill',
  ): Promise<readonly ScopeName[]> {
    const wanted = [...limits].flatMap(([name, limit]) => [name, limit ?? '']);
    const keys = [this.#keys.limits, this.#keys.format];
    const differ = await runScript(this.#redis, APPLY_CONFIG_LIMITS, keys, [how, REDIS_FORMAT, ...wanted]);
    return (differ as readonly Buffer[]).map(String) as ScopeName[];
  }

  async uncertainCalls(batchId: string): Promise<readonly UncertainCall[]> {
    const stored = await this.#redis.hgetall(this.#keys.uncertain(batchId));
    return Object.entries(stored).map(([callId, json]) => {
      const { nano, ...rest } = JSON.parse(json) as Omit<UncertainCall, 'callId' | 'cost'> & { nano: NanoUsd };
      return { callId, cost: nano, ...rest };
    });
  }

  async reportQuota(pool: string, report: QuotaReport) {
    return isBlip(await runScript(this.#redis, QUOTA_FEEDBACK, [this.#keys.pool(pool)], encodeReport(report)));
  }

  async foundQuota(pool: string): Promise<FoundQuota | undefined> {
    return readFoundQuota(await this.#redis.hgetall(this.#keys.pool(pool)));
  }

  /**
   * Books what the workers whose lease has ended held as uncertain. Any live worker does this now and then.
   *
   * @returns how many calls were booked
   */
  async reapDeadWorkers(onBooked: (call: ReapedCall) => void = () => {}): Promise<number> {
    const { now } = await this.#server();
    const dead = await this.#redis.zrangebyscore(this.#keys.workers, '-inf', `(${now}`);
    let booked = 0;
    for (const workerId of dead) {
      const holds = await this.#redis.hgetall(this.#keys.holds(workerId));
      for (const [callId, text] of Object.entries(holds)) {
        if ((await this.#reap(workerId, callId, text)) === 0) continue;
        booked += 1;
        onBooked({ batchId: parseHold(text).batchId, worker: workerId, cost: heldAmount(text) });
      }
      await runScript(
        this.#redis,
        FORGET_WORKER,
        [this.#keys.workers, this.#keys.holds(workerId)],
        [workerId, now - FORGET_WORKER_AFTER_MS],
      );
    }
    return booked;
  }

  /** Takes over what other workers know of the models' token counts, and tells them what this one has seen. */
  async shareRatios(ratios: RatioBook): Promise<void> {
    const shared = await this.#redis.hgetall(this.#keys.inputRatios);
    for (const [model, text] of Object.entries(shared)) {
      const [calls = 0, most = 0] = text.split('|').map(Number);
      ratios.merge(model, { calls, most });
    }
    const news = [...ratios.all].map(([model, { calls, most }]) => [model, `${calls}|${most}`] as const);
    const changed = news.filter(([model, text]) => shared[model] !== text);
    // Two workers may overwrite each other: the next round brings the larger figure back.
    if (changed.length > 0) await this.#redis.hset(this.#keys.inputRatios, Object.fromEntries(changed));
  }

  async #reap(workerId: string, callId: string, text: string): Promise<number> {
    const record = parseHold(text);
    return await runScript<number>(
      this.#redis,
      REAP,
      [
        this.#keys.workers,
        this.#keys.holds(workerId),
        this.#keys.uncertain(record.batchId),
        this.#keys.pool(record.pool ?? NO_POOL),
        ...this.#scopeKeys(record.scopes),
      ],
      [workerId, callId, uncertainDetails(record, 'its worker died')],
    );
  }

  /** Identifies the server's process: another one may have forgotten its last writes. */
  async serverRunId(): Promise<string> {
    return (await this.#server()).runId;
  }

  async #server(): Promise<{ readonly now: number; readonly runId: string }> {
    const [now, info] = await runScript<Buffer[]>(this.#redis, SERVER, [this.#keys.workers], []);
    return { now: Number(now), runId: /^run_id:(\w+)/m.exec(String(info))?.[1] ?? '' };
  }

  /**
   * After the server has forgotten its last writes: where it has forgotten a lease too, the calls that were held under it
   * are held under this worker's present one, so that they are booked when it dies.
   */
  async keepHolds(): Promise<void> {
    await this.#lease.renew();
    const forgotten = new Map<string, boolean>();
    for (const [callId, workerId] of this.#heldBy) {
      let isForgotten = forgotten.get(workerId);
      if (isForgotten === undefined) {
        isForgotten = (await this.#redis.zscore(this.#keys.workers, workerId)) === null;
        forgotten.set(workerId, isForgotten);
      }
      if (isForgotten) this.#heldBy.set(callId, this.#lease.workerId);
    }
  }

  /**
   * Books a call that the server has forgotten as it was: held where there is no outcome yet, else settled.
   *
   * @returns false where the server knows the call, its batch has ended, or it is a reply to a slice that is committed
   */
  async restore(ticket: CallTicket, outcome?: Outcome): Promise<boolean> {
    if (outcome?.kind === 'released') return false;
    const { claim } = ticket;
    const keys = this.#keys;
    const workerId = this.holderOf(ticket);
    const answer = await runScript<number>(
      this.#redis,
      RESTORE,
      [
        keys.batch(claim.batchId),
        keys.fence(claim.batchId),
        keys.holds(workerId),
        keys.journal(claim.batchId, claim.slice),
        keys.uncertain(claim.batchId),
        ...this.#scopeKeys(ticket.scopes),
      ],
      [
        claim.slice,
        claim.token,
        ticket.callId,
        ticket.callKey,
        outcome?.kind ?? 'held',
        outcome?.kind === 'reply' ? outcome.entry.cost : ticket.hold,
        restoredRecord(ticket, outcome),
        outcome?.kind === 'reply' ? uncertainOf(ticket, OTHER_COUNTS, outcome.entry.requestId) : '',
      ],
    );
    return answer === 1;
  }

  /** Whose holds the call is among, or would be. */
  protected holderOf({ callId, lease }: CallTicket): string {
    return lease ?? this.#heldBy.get(callId) ?? this.#lease.workerId;
  }

  #scopeKeys(scopes: readonly Scope[]): string[] {
    return scopes.map((scope) => this.#keys.scope(scope.name, scope.period));
  }

  /** Calls of a batch that are admitted and not settled. */
  async openCalls(batchId: string): Promise<number> {
    const scope = batchScope(batchId);
    return Number((await this.#redis.hget(this.#keys.scope(scope.name, scope.period), 'open')) ?? 0);
  }
}

/** A worker's entry is kept a while after its end, so that a worker that was only slow finds its lease ended, not unknown. */
const FORGET_WORKER_AFTER_MS = 600_000;

function restoredRecord(ticket: CallTicket, outcome: Outcome | undefined): string | Buffer {
  if (outcome?.kind === 'reply') return encodeEntry(outcome.entry);
  if (outcome?.kind !== 'uncertain') return formatHoldRecord(ticket);
  return uncertainOf(ticket, outcome.reason, outcome.requestId);
}

function uncertainOf(ticket: CallTicket, reason: string, requestId: string | undefined): string {
  return uncertainDetails({ ...ticket, slice: ticket.claim.slice }, reason, requestId);
}
