import PQueue from 'p-queue';
import type { Clock } from '../ports/clock.ts';
import type { ModelClient } from '../ports/model-client.ts';

/** How long to believe in a provider that has never answered this process: most likely its address is wrong. */
const FIRST_CONTACT_PATIENCE_MS = 10_000;

/**
 * One provider as this process sees it: its calls in flight, the wait it has asked for, and whether it has been out
 * of reach for too long.
 */
export class ProviderGate {
  readonly name: string;
  readonly client: ModelClient;
  readonly #queue: PQueue;
  readonly #clock: Clock;
  readonly #patienceMs: number;
  #troubleSince: number | undefined;
  #everAnswered = false;
  #notBefore = 0;

  constructor(options: { name: string; client: ModelClient; concurrency: number; patienceMs: number; clock: Clock }) {
    this.name = options.name;
    this.client = options.client;
    this.#queue = new PQueue({ concurrency: options.concurrency });
    this.#clock = options.clock;
    this.#patienceMs = options.patienceMs;
  }

  /** Runs `task` when one of the provider's places in this process is free, the most urgent first. */
  async run<T>(urgency: number, task: () => Promise<T>): Promise<T> {
    return await this.#queue.add(task, { priority: urgency });
  }

  /** Milliseconds until the provider wants to be asked again. */
  get waitMs(): number {
    return Math.max(0, this.#notBefore - this.#clock.monotonic());
  }

  /** The provider asked everyone to wait. */
  askedToWait(milliseconds: number): void {
    this.#notBefore = Math.max(this.#notBefore, this.#clock.monotonic() + milliseconds);
  }

  /** It answered, well or badly: it is there. */
  answered(): void {
    this.#everAnswered = true;
    this.#troubleSince = undefined;
  }

  /** It could not be reached or failed on its side; true when that has gone on for longer than patience allows. */
  failed(): boolean {
    const now = this.#clock.monotonic();
    this.#troubleSince ??= now;
    const patience = this.#everAnswered ? this.#patienceMs : Math.min(this.#patienceMs, FIRST_CONTACT_PATIENCE_MS);
    return now - this.#troubleSince >= patience;
  }
}
