import PQueue from 'p-queue';
import type { App } from '../../app.ts';
import { advanceBatch } from './advance-batch.ts';
import { removeAbandonedUploads, removeExpiredFiles } from './file-content.ts';

const POLL_MS = 1_000;
/** A batch that failed for a passing reason is left alone for so long. */
const REST_MS = 15_000;
const SWEEP_MS = 600_000;
const MAX_CONCURRENT_BATCHES = 4;

/** Moves the batches of the OpenAI-compatible endpoint on, from validation to their files. Every server may do it. */
export class BatchKeeper {
  readonly #app: App;
  readonly #work = new PQueue({ concurrency: MAX_CONCURRENT_BATCHES });
  readonly #moving = new Set<string>();
  readonly #restUntil = new Map<string, number>();
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #sweepAt = 0;
  #looking = false;

  constructor(app: App) {
    this.#app = app;
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.#look(), POLL_MS);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopping.abort();
    this.#work.clear();
    await this.#work.onIdle();
  }

  /** Moves a batch on now, in the background. */
  move(id: string): void {
    if (this.#moving.has(id) || this.#stopping.signal.aborted) return;
    if ((this.#restUntil.get(id) ?? 0) > this.#app.clock.monotonic()) return;
    this.#moving.add(id);
    void this.#work.add(() => this.#advance(id));
  }

  async #advance(id: string): Promise<void> {
    try {
      this.#restUntil.delete(id);
      if (!this.#stopping.signal.aborted) await advanceBatch(this.#app, id, this.#stopping.signal);
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.#restUntil.set(id, this.#app.clock.monotonic() + REST_MS);
      this.#warn(error, id);
    } finally {
      this.#moving.delete(id);
    }
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      for (const id of await this.#app.openai.openBatches()) this.move(id);
      const now = this.#app.clock.monotonic();
      if (now >= this.#sweepAt) {
        this.#sweepAt = now + SWEEP_MS;
        await removeExpiredFiles(this.#app);
        await removeAbandonedUploads(this.#app);
      }
    } catch (error) {
      this.#warn(error);
    } finally {
      this.#looking = false;
    }
  }

  #warn(error: unknown, batch?: string): void {
    this.#app.log.warn('http:failed', {
      route: '/v1/batches',
      ...(batch === undefined ? {} : { batch }),
      message: (error as Error).message,
    });
  }
}
