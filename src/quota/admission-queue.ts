import type { Admission, CallTicket } from '../ledger/ledger.ts';
import type { CallSlots } from '../providers/call-slots.ts';
import { AbortListeners } from '../runtime/abort-listeners.ts';
import type { Clock } from '../runtime/clock.ts';
import { FairQueue, type QueuePosition } from './fair-queue.ts';

/** Longer waits are told to the caller, who gives its slice back in the meantime. */
const LONGEST_WAIT_MS = 60_000;
const MIN_WAIT_MS = 5;
/** Processes that were told the same wait do not all come back at once. */
const SPREAD_MS = 20;

/** Quota comes back with time alone, of which nothing tells: a line looks for room elsewhere as often. */
const LOOK_EVERY_MS = 100;

/** So much of its quota a pool gives at once. */
const BURST_MS = 400;

/** What a line looks like to a call that may go elsewhere. */
export interface LineOutlook {
  readonly startsInMs: number;
  /** What the calls that were sent here have taken of the quota in advance. */
  readonly lagMs: number;
  /** Calls under way by those that may be at once; over 1 where calls wait. */
  readonly busyShare: number;
}

/** The end of a call's wait: what the ledger said, and a place in this process for a call that was admitted. */
export interface QueueAdmission {
  readonly admission: Admission;
  readonly ticket: CallTicket;
  /** Present exactly where it was admitted; whoever gets it disposes of it when the call has ended. */
  readonly place?: Disposable;
}

/** What a waiting call does where another line would let it start at once. */
export interface Elsewhere {
  /** Calls with the same name have the same other lines. */
  readonly lines: string;
  /** Whether it goes to another one, which counts it from then on. */
  readonly goes: () => boolean;
}

/** A call that was sent to a line. Whoever sent it disposes of it when the call has ended. */
export interface Stay extends Disposable {
  /** It goes elsewhere before it was asked for: nothing of the quota is taken for it. */
  leave(): void;
}

interface Caller {
  readonly position: QueuePosition;
  /** Made at the moment of asking, because it says in which day the call is booked. */
  readonly ticket: () => CallTicket;
  readonly signal: AbortSignal;
  readonly elsewhere: Elsewhere | undefined;
  readonly resolve: (entrance: QueueAdmission | 'elsewhere') => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Where calls to one pool wait in this process, for one of the provider's places and for the cluster's quota. One trip
 * to the ledger is under way at a time; it asks for as many calls as will likely fit, so waiting calls cost nothing.
 */
export class AdmissionQueue {
  readonly #places: CallSlots;
  readonly #admit: (ticket: CallTicket) => Promise<Admission>;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #line = new FairQueue<Caller>();
  readonly #givingUp = new AbortListeners<Caller>((caller) => this.#leave(caller));
  #isRunning = false;
  #isLooking = false;
  #notBefore = 0;
  /** Calls that were sent this way and have not ended. */
  #assigned = 0;
  /** When the quota of the calls that were sent this way has come again, in milliseconds of the monotonic clock. */
  #dueAt = 0;
  /** Calls of the next trip: as many as fitted the last time when some did not, else more and more. */
  #batchSize = Number.POSITIVE_INFINITY;

  constructor(options: {
    readonly places: CallSlots;
    readonly admit: (ticket: CallTicket) => Promise<Admission>;
    readonly clock: Clock;
    readonly random: () => number;
  }) {
    this.#places = options.places;
    this.#admit = options.admit;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#places.onSlotFree(() => void this.#run());
  }

  /**
   * When a call that came now would start here, about, and how much of the line is in use: what is chosen by.
   *
   * @param paceMs what one such call takes of the pool's quota, in milliseconds until it has come again
   * @param callMs how long a call takes there
   */
  outlook(paceMs: number, callMs: number): LineOutlook {
    const now = this.#clock.monotonic();
    const { free, open } = this.#places;
    const lagMs = Math.max(0, this.#dueAt - now);
    const busy = Math.max(this.#assigned, open - free + this.#line.size);
    const told = this.#notBefore > now ? this.#notBefore - now + this.#line.size * paceMs : 0;
    const crowded = busy < open ? 0 : ((busy - open + 1) * callMs) / open;
    return { startsInMs: Math.max(lagMs - BURST_MS, told, crowded, 0), lagMs, busyShare: busy / open };
  }

  /** When the first of those that wait starts here, about; one that waits is not let in at once. */
  frontStartsInMs(callMs: number): number {
    const { free, open } = this.#places;
    return Math.max(this.#notBefore - this.#clock.monotonic(), free === 0 ? callMs / open : 0, 1);
  }

  /** A call was sent here. */
  assign(paceMs: number): Stay {
    this.#assigned += 1;
    this.#dueAt = Math.max(this.#dueAt, this.#clock.monotonic()) + paceMs;
    return {
      leave: () => {
        this.#dueAt -= paceMs;
      },
      [Symbol.dispose]: () => {
        this.#assigned -= 1;
      },
    };
  }

  /**
   * @param elsewhere absent: it stays until it is let in
   * @returns `elsewhere`: it went there, and nothing is held
   * @throws the signal's reason when it aborts while the call waits; what the ledger throws
   */
  enter(
    position: QueuePosition,
    ticket: () => CallTicket,
    signal: AbortSignal,
    elsewhere?: Elsewhere,
  ): Promise<QueueAdmission | 'elsewhere'> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const caller: Caller = { position, ticket, signal, elsewhere, resolve, reject };
      this.#givingUp.add(signal, caller);
      this.#line.push(caller, position);
      // In the next turn, so that calls that come together make one trip.
      queueMicrotask(() => void this.#run());
      if (elsewhere !== undefined) void this.#look();
    });
  }

  /** One whose question is under way gets its answer, because money may be held for it. */
  #leave(caller: Caller): void {
    if (this.#line.remove(caller, caller.position)) caller.reject(caller.signal.reason);
  }

  #resolve(caller: Caller, entrance: QueueAdmission | 'elsewhere'): void {
    this.#givingUp.delete(caller.signal, caller);
    caller.resolve(entrance);
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    do await this.#clock.sleep(LOOK_EVERY_MS);
    while (this.#sendElsewhere());
    this.#isLooking = false;
  }

  /** The first ones go while there is room. @returns whether anyone is left who may go later */
  #sendElsewhere(): boolean {
    const full = new Set<string>();
    for (const { item: caller, position } of [...this.#line.waiting()]) {
      const { elsewhere } = caller;
      if (elsewhere === undefined || full.has(elsewhere.lines)) continue;
      if (elsewhere.goes()) {
        this.#line.remove(caller, position);
        this.#resolve(caller, 'elsewhere');
      } else full.add(elsewhere.lines);
    }
    return full.size > 0;
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      while (this.#line.size > 0 && this.#places.free > 0) {
        const waitMs = this.#notBefore - this.#clock.monotonic();
        if (waitMs > 0) await this.#clock.sleep(waitMs);
        else await this.#requestAdmissions();
      }
    } finally {
      this.#isRunning = false;
    }
  }

  async #requestAdmissions(): Promise<void> {
    const trip: Promise<'granted' | 'waits'>[] = [];
    while (trip.length < this.#batchSize && this.#places.free > 0) {
      const next = this.#line.take();
      if (next === undefined) break;
      trip.push(this.#ask(next.item, next.position, this.#places.take()));
    }
    const answers = await Promise.all(trip);
    const granted = answers.filter((answer) => answer === 'granted').length;
    if (granted === answers.length) this.#batchSize *= 2;
    else this.#batchSize = Math.max(1, granted + 1);
  }

  async #ask(caller: Caller, position: QueuePosition, place: Disposable): Promise<'granted' | 'waits'> {
    try {
      const ticket = caller.ticket();
      const admission = await this.#admit(ticket);
      if (admission.kind === 'admitted') {
        this.#resolve(caller, { admission, ticket, place });
        return 'granted';
      }
      place[Symbol.dispose]();
      if (admission.kind === 'wait' && admission.waitMs <= LONGEST_WAIT_MS) {
        const waitMs = Math.max(admission.waitMs, MIN_WAIT_MS) + this.#random() * SPREAD_MS;
        this.#notBefore = Math.max(this.#notBefore, this.#clock.monotonic() + waitMs);
        this.#line.requeue(caller, position);
        if (caller.signal.aborted) this.#leave(caller);
        return 'waits';
      }
      this.#resolve(caller, { admission, ticket });
    } catch (error) {
      place[Symbol.dispose]();
      this.#givingUp.delete(caller.signal, caller);
      caller.reject(error);
    }
    return 'granted';
  }
}
