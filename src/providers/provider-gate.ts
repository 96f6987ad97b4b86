import type { ModelRequest } from '../requests/model-request.ts';
import type { Clock } from '../runtime/clock.ts';
import { AccessRecord } from './access-record.ts';
import { CallSlots } from './call-slots.ts';
import { CallTimes } from './call-times.ts';
import { Circuit, CircuitOpenError } from './circuit.ts';
import { FAILURE_RULES, ModelCallError } from './failure.ts';
import type { ModelClient, ModelReply } from './model-client.ts';

/** How long to believe in a provider that has never answered this process: most likely its address is wrong. */
const FIRST_CONTACT_PATIENCE_MS = 10_000;
/** So many failures of the provider's own, one after the other, are an outage. */
const OUTAGE_AFTER_FAILURES = 10;
/** After this time one call finds out whether the outage is over. */
const PROBE_EVERY_MS = 2_000;
/** How long a server may take to load its model. */
const STARTING_PATIENCE_MS = 900_000;
/** A wrong key or an empty account is looked at again after this time, where another provider stands in. */
const PERSON_RETRY_MS = 300_000;

export interface ProviderGateOptions {
  readonly name: string;
  readonly client: ModelClient;
  /** Calls in flight in this process. */
  readonly concurrency: number;
  /** The first calls in flight, where nothing is known of the server yet; default: `concurrency`. */
  readonly startConcurrency?: number;
  /** What one call may take; default: no limit. */
  readonly timeLimitMs?: number;
  /** How long it may be out of reach before work on it stops. */
  readonly outageToleranceMs: number;
  readonly clock: Clock;
  /** Whether a repeated beginning of a prompt is cheaper there. */
  readonly hasPromptCache: boolean;
}

/**
 * One provider as this process sees it: its places, the wait that it has asked for, and its health. During an outage
 * no call is sent but one now and then; when that one succeeds, calls come back slowly.
 */
export class ProviderGate {
  readonly name: string;
  readonly hasPromptCache: boolean;
  readonly places: CallSlots;
  readonly access = new AccessRecord();
  readonly #client: ModelClient;
  readonly #circuit: Circuit;
  readonly #clock: Clock;
  readonly #outageToleranceMs: number;
  #troubleSince: number | undefined;
  #everAnswered = false;
  #answeredAt = Number.NEGATIVE_INFINITY;
  #notBefore = 0;
  #probeAt = 0;
  #unusableUntil = 0;
  #isStarting = false;
  readonly #callTimes = new CallTimes();
  /** Cut off while others were answered: too many at once, no outage. */
  readonly #congested = new WeakSet<ModelCallError>();

  constructor(options: ProviderGateOptions) {
    this.name = options.name;
    this.hasPromptCache = options.hasPromptCache;
    this.places = new CallSlots({
      most: options.concurrency,
      ...(options.startConcurrency === undefined ? {} : { start: options.startConcurrency }),
      ...(options.timeLimitMs === undefined ? {} : { timeLimitMs: options.timeLimitMs }),
    });
    this.#client = options.client;
    this.#clock = options.clock;
    this.#outageToleranceMs = options.outageToleranceMs;
    this.#circuit = new Circuit({
      failures: OUTAGE_AFTER_FAILURES,
      probeEveryMs: PROBE_EVERY_MS,
      counts: (error) => isOutage(error) && !this.#congested.has(error as ModelCallError),
      clock: options.clock,
      onOpen: () => {
        this.#probeAt = this.#clock.monotonic() + PROBE_EVERY_MS;
        this.places.slowStart();
      },
    });
  }

  /**
   * Makes one call.
   *
   * @throws {ModelCallError} for every failure; while an outage lasts `unreachable`, and nothing was sent
   */
  async call(request: ModelRequest, signal: AbortSignal): Promise<ModelReply> {
    try {
      const reply = await this.#circuit.run(() => this.#send(request, signal));
      this.places.succeeded(reply.durationMs);
      this.#callTimes.note(request.modelId, reply.durationMs, this.#clock.monotonic());
      if (reply.serverSlots !== undefined) this.places.serverHas(reply.serverSlots);
      return reply;
    } catch (error) {
      if (!(error instanceof CircuitOpenError)) throw error;
      throw new ModelCallError(`Provider ${this.name} is having an outage; this call was not sent.`, {
        failure: 'unreachable',
        billing: 'none',
        cause: error,
      });
    }
  }

  async #send(request: ModelRequest, signal: AbortSignal): Promise<ModelReply> {
    const sentAt = this.#clock.monotonic();
    try {
      return await this.#client.call(request, signal);
    } catch (error) {
      if (error instanceof ModelCallError && error.failure === 'timeout') {
        this.places.timedOut(sentAt, this.#clock.monotonic());
        if (this.hasAnsweredSince(sentAt)) this.#congested.add(error);
      }
      throw error;
    }
  }

  /**
   * Milliseconds until it can be asked: 0 means now. During an outage, whoever is told 0 is the one that finds out
   * whether it is over; the next one is let in after a while.
   */
  turnInMs(): number {
    const now = this.#clock.monotonic();
    if (this.#notBefore > now) return this.#notBefore - now;
    if (!this.#circuit.isOpen) return 0;
    if (this.#probeAt > now) return this.#probeAt - now;
    this.#probeAt = now + PROBE_EVERY_MS;
    return 0;
  }

  /** How long calls to a model take lately, in milliseconds; undefined: not known. */
  callMs(modelId: string): number | undefined {
    return this.#callTimes.of(modelId, this.#clock.monotonic());
  }

  /** Ten calls in a row have failed on its side, and none has succeeded since. */
  get hasOutage(): boolean {
    return this.#circuit.isOpen;
  }

  /** Whether it needs a person: no call can succeed until someone has acted. */
  get needsOperator(): boolean {
    return this.#clock.monotonic() < this.#unusableUntil;
  }

  /** The provider asked everyone to wait. */
  backOff(milliseconds: number): void {
    this.#notBefore = Math.max(this.#notBefore, this.#clock.monotonic() + milliseconds);
  }

  /** Its key or its account is refused. */
  markUnusable(): void {
    this.#unusableUntil = this.#clock.monotonic() + PERSON_RETRY_MS;
  }

  /** It answered, well or badly: it is there. */
  answered(): void {
    this.#everAnswered = true;
    this.#answeredAt = this.#clock.monotonic();
    this.#troubleSince = undefined;
    this.#unusableUntil = 0;
    this.#isStarting = false;
  }

  /** Whether it has answered any call since then, in milliseconds of the monotonic clock. */
  hasAnsweredSince(at: number): boolean {
    return this.#answeredAt > at;
  }

  /** It could not be reached or failed on its side; true when that has gone on for longer than patience allows. */
  failed(error: ModelCallError): boolean {
    if (this.#congested.has(error)) return false;
    const now = this.#clock.monotonic();
    this.#troubleSince ??= now;
    // A call that is not sent during an outage says nothing of it.
    if (error.status !== undefined) this.#isStarting = error.serverIsStarting;
    return now - this.#troubleSince >= this.#patience;
  }

  get #patience(): number {
    if (this.#isStarting) return Math.max(this.#outageToleranceMs, STARTING_PATIENCE_MS);
    return this.#everAnswered ? this.#outageToleranceMs : Math.min(this.#outageToleranceMs, FIRST_CONTACT_PATIENCE_MS);
  }
}

/** Being asked to wait, a wrong key or an empty account is no outage. */
function isOutage(error: unknown): boolean {
  if (!(error instanceof ModelCallError)) return false;
  return FAILURE_RULES[error.failure].retry === 'backoff';
}
