import type { Config } from '../../config/config.ts';
import { findWorkflow, knownWorkflows } from '../../config/config.ts';
import type { App } from '../app.ts';
import { NightmillError } from '../errors.ts';
import { nanoToUsd } from '../money/money.ts';
import { discardPaused, listBudgets, setBudget } from '../operations/budgets.ts';
import { compareRuns, runComparisonJson } from '../operations/evidence/compare-runs.ts';
import { modelPlansJson, planModels } from '../operations/evidence/plan-models.ts';
import { readingOf } from '../operations/input-reading.ts';
import { keepHouse } from '../operations/keep-house.ts';
import { openInputs } from '../operations/open-inputs.ts';
import { pauseNamed, resumeNamed } from '../operations/pauses.ts';
import { planDocuments, planJson } from '../operations/plan-documents.ts';
import { readDeadline, readExpiry } from '../operations/read-deadline.ts';
import { listStatuses, requireBatch, type StatusFilter } from '../operations/read-status.ts';
import { statusInUsd } from '../operations/status-json.ts';
import { submitDocuments } from '../operations/submit-documents.ts';
import { readBudget, readPriority, readTenant } from '../operations/submit-values.ts';
import { type RunningWorker, startWorker } from '../worker/start-worker.ts';
import { stateLimits } from '../worker/state-limits.ts';
import { queuesOf } from '../workflows/model-workflow.ts';
import { Batch, type Status } from './batch.ts';
import { type DocumentsInput, documentsStream, pathsOf } from './documents-stream.ts';

export interface SubmitOptions {
  /** Default: made from the workflow, the tenant and the content, so that the same again joins the batch that is there. */
  readonly id?: string;
  /** Most that the batch may cost. Default: the workflow's. */
  readonly budgetUsd?: number;
  readonly tenant?: string;
  /** 0, the default, is first. */
  readonly priority?: number;
  /** Wanted by then: a `Date`, an ISO time with its offset, or a time from now such as `6h`. */
  readonly deadline?: Date | string;
  /** Ended then with what is done; written as `deadline`. */
  readonly expires?: Date | string;
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Bad lines become error rows. Default: they refuse the batch. */
  readonly skipInvalid?: boolean;
  /** Documents that this workflow has answered before take that answer. Default: all are asked. */
  readonly newOnly?: boolean;
  readonly signal?: AbortSignal;
}

export type PlanOptions = Pick<SubmitOptions, 'budgetUsd' | 'tenant' | 'newOnly' | 'signal'> & {
  /** A plan for each of these models of the config, in place of the cascade. Default: the cascade alone. */
  readonly models?: readonly string[];
};

type Json = Readonly<Record<string, unknown>>;

export interface BudgetView {
  readonly scope: string;
  /** The day or month that counts now; empty for a batch. */
  readonly period: string;
  readonly spentUsd: number;
  readonly uncertainUsd: number;
  readonly heldUsd: number;
  /** Null: no limit. */
  readonly limitUsd: number | null;
}

export interface Budgets {
  list(): Promise<readonly BudgetView[]>;
  /** @param usd null takes away what was set, so that the config counts */
  set(scope: string, usd: number | null): Promise<{ readonly before: number | null; readonly limit: number | null }>;
  /** Ends the batches that this limit has paused; returns their ids. */
  discard(scope: string): Promise<readonly string[]>;
}

/** A worker in this process. `await using` stops it as {@link Worker.stop} does. */
export interface Worker extends AsyncDisposable {
  /** Takes no more slices and settles what is in flight; with `force` it gives that up. */
  stop(options?: { readonly force?: boolean }): Promise<void>;
}

/** A cluster, as seen from this process. Made by `connect`; disposing of it stops its workers and closes everything. */
export class Mill implements AsyncDisposable {
  readonly #app: App;
  readonly #worksByItself: boolean;
  readonly #workers: RunningWorker[] = [];
  #own: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(app: App, worksByItself: boolean) {
    this.#app = app;
    this.#worksByItself = worksByItself;
  }

  get config(): Config {
    return this.#app.config;
  }

  /**
   * Stores and enqueues documents. They are read as fast as they are stored, in bounded memory.
   *
   * @param documents a path or paths (files, folders, `s3://bucket/prefix`), or documents from any (async) iterable
   * @throws {NightmillError} `workflow_unknown`, `tenant_unknown`, `price_unknown`, `input_invalid` (naming every bad
   *   line), `batch_exists` (the id has other content)
   */
  async submit(workflow: string, documents: DocumentsInput, options: SubmitOptions = {}): Promise<Batch> {
    const { clock } = this.#app;
    const { id, budgetUsd, tenant, priority, deadline, expires, name, labels, skipInvalid, newOnly, signal } = options;
    await this.#ensureWorker();
    const now = clock.now();
    await using opened = await this.#open(workflow, documents, signal);
    const submitted = await submitDocuments(this.#app, {
      workflow,
      source: opened.source,
      id,
      budget: readBudget(budgetUsd),
      tenant: readTenant(tenant),
      priority: priority === undefined ? undefined : readPriority(String(priority)),
      deadline: readDeadline(timeText(deadline), now),
      expiresAt: readExpiry(timeText(expires), now),
      name,
      labels,
      skipInvalid,
      newOnly,
      signal,
    });
    const { batchId, kind, warnings } = submitted;
    return this.#batch({ id: batchId, kind, warnings });
  }

  /**
   * What a batch would cost and take, and which requirements of the workflow it would meet, as `nightmill plan --json` prints it; with `models` as
   * `plan --models --json`. No call is made, nothing is stored.
   */
  async plan(workflow: string, documents: DocumentsInput, options: PlanOptions = {}): Promise<Json> {
    const { budgetUsd, tenant, newOnly, models, signal } = options;
    await using opened = await this.#open(workflow, documents, signal);
    const { config, submit, clock } = this.#app;
    const asked = { workflow, opened, tenant: readTenant(tenant), store: submit.store };
    if (models !== undefined) return plain(modelPlansJson(workflow, await planModels(config, { ...asked, models })));
    const budget = readBudget(budgetUsd);
    return plain(planJson(await planDocuments(config, { ...asked, budget, newOnly, now: clock.now() })));
  }

  /**
   * Runs of `nightmill eval` side by side, and which requirements of the first one's workflow each meets, as `compare --json` prints it. No call is made.
   *
   * @throws {NightmillError} `usage`: fewer than two runs, no such run, or nothing in common
   */
  async compare(...runs: readonly string[]): Promise<Json> {
    return plain(runComparisonJson(await compareRuns(this.#app, runs)));
  }

  /** @throws {NightmillError} `batch_unknown` */
  async batch(id: string): Promise<Batch> {
    await requireBatch(this.#app, id);
    return this.#batch({ id, kind: 'known' });
  }

  /** Newest first; at most 50 unless `limit` says otherwise. */
  async list(filter: Partial<StatusFilter> = {}): Promise<readonly Status[]> {
    return (await listStatuses(this.#app, { limit: 50, ...filter })).map(statusInUsd);
  }

  /** Holds a workflow for the whole cluster, or a batch. False where it was held already. */
  async pause(name: string): Promise<boolean> {
    return (await pauseNamed(this.#app, name)).changed;
  }

  async resume(name: string): Promise<boolean> {
    return (await resumeNamed(this.#app, name)).changed;
  }

  get budgets(): Budgets {
    const app = this.#app;
    const usd = (nano: number | undefined) => (nano === undefined ? null : nanoToUsd(nano));
    return {
      list: async () =>
        (await listBudgets(app)).map(({ scope, settled, uncertain, held, limit }) => ({
          scope: scope.name,
          period: scope.period,
          spentUsd: nanoToUsd(settled),
          uncertainUsd: nanoToUsd(uncertain),
          heldUsd: nanoToUsd(held),
          limitUsd: usd(limit),
        })),
      set: async (scope, dollars) => {
        const change = await setBudget(app, scope, dollars === null ? undefined : readBudget(dollars));
        return { before: usd(change.before), limit: usd(change.limit) };
      },
      discard: (scope) => discardPaused(app, scope),
    };
  }

  /**
   * Works on queued slices in this process until stopped or until the mill is closed.
   *
   * @param workflows default: all of the config
   * @throws {NightmillError} `workflow_unknown`; `config_invalid`: a provider's key is not set
   */
  async work(workflows: readonly string[] = queuesOf(this.#app.config)): Promise<Worker> {
    const { config } = this.#app;
    const known = queuesOf(config);
    for (const name of workflows) {
      if (!known.includes(name)) {
        throw new NightmillError(
          'workflow_unknown',
          `There is no workflow ${JSON.stringify(name)}; known: ${knownWorkflows(config)}.`,
        );
      }
    }
    const [missing] = config.missingSecrets ?? [];
    if (missing !== undefined) {
      throw new NightmillError(
        'config_invalid',
        `Cannot work: ${missing.path} needs the environment variable ${missing.name}, which is not set.`,
      );
    }
    await stateLimits(this.#app, 'fill');
    const worker = await startWorker(this.#app, workflows);
    const stopped = new AbortController();
    const beside = keepHouse(this.#app, workflows, stopped.signal);
    const working: RunningWorker & Worker = {
      get state() {
        return worker.state;
      },
      stop: async (options) => {
        stopped.abort();
        await worker.stop(options);
        await beside;
      },
      async [Symbol.asyncDispose]() {
        await working.stop();
      },
    };
    this.#workers.push(working);
    return working;
  }

  /** Stops its workers and closes its connections; the embedded server with them. Called twice, it does it once. */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    await this.#own?.catch(() => {});
    await Promise.all(this.#workers.map((worker) => worker.stop()));
    await this.#app.close();
  }

  /** With the embedded server nobody else could work, so this process does. */
  async #ensureWorker(): Promise<void> {
    if (!this.#worksByItself || this.#workers.some(({ state }) => state === 'running')) return;
    this.#own ??= this.work().then(() => {});
    await this.#own.finally(() => {
      this.#own = undefined;
    });
  }

  #batch(known: ConstructorParameters<typeof Batch>[1]): Batch {
    return new Batch(this.#app, known, () => this.#ensureWorker());
  }

  async #open(workflow: string, documents: DocumentsInput, signal: AbortSignal | undefined) {
    const { config } = this.#app;
    const paths = pathsOf(documents);
    const input = paths === undefined ? undefined : findWorkflow(config, workflow)?.input;
    return await openInputs(
      config,
      paths === undefined
        ? {
            names: [],
            streams: [{ name: 'documents.jsonl', body: documentsStream(documents as Exclude<DocumentsInput, string>) }],
          }
        : { names: paths },
      readingOf({}, input),
      signal,
    );
  }
}

/** With numbers where amounts are written out. */
function plain(answer: object): Json {
  return JSON.parse(JSON.stringify(answer)) as Json;
}

function timeText(time: Date | string | undefined): string | undefined {
  return time instanceof Date ? time.toISOString() : time;
}
