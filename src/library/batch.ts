import type { App } from '../app.ts';
import { hasEnded } from '../batches/batch-states.ts';
import type { BatchStatus } from '../batches/batch-status.ts';
import { NightmillError } from '../errors.ts';
import type { Pause } from '../ledger/pause.ts';
import { cancelBatch } from '../operations/end-batches.ts';
import { readStatusAndModels } from '../operations/figures/batch-models.ts';
import { pauseNamed, resumeNamed } from '../operations/pauses.ts';
import { readStatus } from '../operations/read-status.ts';
import { downloadBatch, readManifest, readRows } from '../operations/results.ts';
import { retryBatch } from '../operations/retry-batch.ts';
import { type StatusView, statusInUsd } from '../operations/status-json.ts';
import { readBudget } from '../operations/submit-values.ts';
import { watchBatch } from '../operations/watch-batch.ts';
import type { Downloaded } from '../results/download-results.ts';
import type { BatchManifest, ErrorRow, ResultRow } from './rows.ts';

/** A batch's status as `nightmill status --json` prints it. */
export type Status = StatusView<number>;

export interface WatchOptions {
  /** Between two looks, milliseconds. Default 250. */
  readonly pollMs?: number;
  /** Ends the iteration; the batch continues. */
  readonly signal?: AbortSignal;
}

export interface ReadRowsOptions {
  /** What is done by now, where the batch has not ended. Default: wait for its end. */
  readonly partial?: boolean;
  readonly signal?: AbortSignal;
}

export interface RetryOptions {
  /** Only error rows with these codes. Default: all. */
  readonly codes?: readonly string[];
  /** Only error rows with these statuses. Default: failed, cancelled and expired. */
  readonly statuses?: readonly string[];
  /** Most that the retry may cost. Default: what the batch's own limit leaves. */
  readonly budgetUsd?: number;
}

/** A batch, by its id. Holds no state: every method asks the cluster. */
export class Batch {
  readonly id: string;
  /** `joined`: the same content was submitted before, and this is that batch. */
  readonly kind: 'submitted' | 'joined' | 'known';
  /** Requirements of its workflow that were not met by the latency, cost and quota known at its submission, for people; none where it is `known`. */
  readonly warnings: readonly string[];
  readonly #app: App;
  readonly #ensureWorker: () => Promise<void>;

  /** @internal */
  constructor(
    app: App,
    { id, kind, warnings = [] }: Pick<Batch, 'id' | 'kind'> & Partial<Pick<Batch, 'warnings'>>,
    ensureWorker: () => Promise<void>,
  ) {
    this.#app = app;
    this.id = id;
    this.kind = kind;
    this.warnings = warnings;
    this.#ensureWorker = ensureWorker;
  }

  /**
   * With what its models and servers of one's own have done (`models`, `power`).
   *
   * @throws {NightmillError} `batch_unknown`
   */
  async status(): Promise<Status> {
    return statusInUsd(await readStatusAndModels(this.#app, this.id));
  }

  /** The status again and again: the first at once, the last when the batch has ended. A pause does not end it. */
  async *progress(options: WatchOptions = {}): AsyncGenerator<Status, void, undefined> {
    await this.#ensureWorker();
    for await (const status of watchBatch(this.#app, this.id, options)) yield statusInUsd(status);
  }

  /**
   * Waits for the end, or for a pause that waiting alone does not end.
   *
   * @throws {NightmillError} `batch_state`: paused by a budget, or for a provider that needs a person; says which
   */
  async wait(options: WatchOptions = {}): Promise<Status> {
    await this.#ensureWorker();
    let last: BatchStatus | undefined;
    for await (const status of watchBatch(this.#app, this.id, options)) {
      last = status;
      const { hold } = status.breaker;
      if (!hasEnded(status.state) && hold !== undefined && status.held === 0 && needsOperator(hold)) {
        throw new NightmillError('batch_state', `${this.id} is paused: ${hold.reason}`);
      }
    }
    options.signal?.throwIfAborted();
    return statusInUsd(last ?? (await readStatus(this.#app, this.id)));
  }

  /** Rows of `results.jsonl`, in input order, in bounded memory. Waits as {@link wait} unless `partial`. */
  async *results(options: ReadRowsOptions = {}): AsyncGenerator<ResultRow, void, undefined> {
    yield* this.#rows('results', options) as AsyncGenerator<ResultRow, void, undefined>;
  }

  /** Rows of `errors.jsonl`, as {@link results}. */
  async *errors(options: ReadRowsOptions = {}): AsyncGenerator<ErrorRow, void, undefined> {
    yield* this.#rows('errors', options) as AsyncGenerator<ErrorRow, void, undefined>;
  }

  async *#rows(kind: 'results' | 'errors', { partial = false, signal }: ReadRowsOptions) {
    if (!partial) await this.wait(signal === undefined ? {} : { signal });
    yield* readRows(this.#app, this.id, kind, { partial });
  }

  /** Waits for the end as {@link wait}. */
  async manifest(options: WatchOptions = {}): Promise<BatchManifest> {
    await this.wait(options);
    return JSON.parse(Buffer.from(await readManifest(this.#app, this.id)).toString('utf8')) as BatchManifest;
  }

  /**
   * Writes `results.jsonl`, `errors.jsonl` and `manifest.json` into a folder and verifies them.
   *
   * @throws {NightmillError} `batch_state`: not ended, without `partial`; `usage`: the folder has another batch's results
   */
  async download(
    folder: string,
    options: { readonly partial?: boolean; readonly force?: boolean } = {},
  ): Promise<Downloaded> {
    const operation = { batchId: this.id, folder, ...options };
    const { status: _, isPartial: __, ...downloaded } = await downloadBatch(this.#app, operation);
    return downloaded;
  }

  /** Makes no new calls until it is resumed. False where it was paused already. */
  async pause(): Promise<boolean> {
    return (await pauseNamed(this.#app, this.id)).changed;
  }

  /** False where it was not paused. */
  async resume(): Promise<boolean> {
    return (await resumeNamed(this.#app, this.id)).changed;
  }

  /** Ends it now: what is done and paid for is kept, the rest becomes error rows. */
  async cancel(): Promise<void> {
    await cancelBatch(this.#app, this.id);
  }

  /**
   * Asks the documents of error rows again. The rows are merged into this batch when that has ended, so `progress`,
   * `results` and `manifest` of this batch tell of it.
   *
   * @throws {NightmillError} `batch_state`: not ended, or nothing to ask again
   */
  async retry({ codes, statuses, budgetUsd }: RetryOptions = {}): Promise<Batch> {
    await retryBatch(this.#app, {
      batchId: this.id,
      codes,
      statuses,
      ...(budgetUsd === undefined ? {} : { budget: readBudget(budgetUsd) }),
    });
    await this.#ensureWorker();
    return this;
  }
}

function needsOperator({ cause, retry, period }: Pause): boolean {
  if (cause === 'provider') return retry !== true;
  return cause === 'budget' && (period === undefined || period === '');
}
