import { gunzipSync, gzipSync } from 'node:zlib';
import { MemoryStore } from '../../../src/adapters/memory-store/memory-store.ts';
import { StoreAnswerCache } from '../../../src/adapters/store-answer-cache/store-answer-cache.ts';
import type { BatchSubmission } from '../../../src/batches/batch-submission.ts';
import { formatSliceEntry, type SliceEntry } from '../../../src/batches/slice-entry.ts';
import type { MaintenanceContext } from '../../../src/budgets/housekeeping.ts';
import type { Notice, Notify } from '../../../src/budgets/notice.ts';
import type { SliceRun } from '../../../src/calls/slice-run.ts';
import type { FinalizeContext } from '../../../src/finalize/finalize-batch.ts';
import type { LocalModel } from '../../../src/local-model/local-model.ts';
import { NO_USAGE } from '../../../src/money/usage.ts';
import type { Lessons } from '../../../src/providers/lesson-book.ts';
import type { ModelClient, ModelReply } from '../../../src/providers/model-client.ts';
import { PromptPrefixes } from '../../../src/providers/prompt-prefixes.ts';
import { ProviderGate } from '../../../src/providers/provider-gate.ts';
import { Pools } from '../../../src/quota/pools.ts';
import { InputRatios } from '../../../src/quota/token-ratios.ts';
import type { ModelRequest } from '../../../src/requests/model-request.ts';
import type { Log } from '../../../src/runtime/log.ts';
import type { ProcessSliceContext } from '../../../src/slices/process-slice.ts';
import { storeKeys } from '../../../src/store/store-keys.ts';
import type { ClassifyWorkflow, ModelSpec } from '../../../src/workflows/workflow.ts';
import { FakeClock } from './fake-clock.ts';
import { MemoryCluster } from './memory-cluster.ts';
import { MemoryEvidenceBook } from './memory-evidence-book.ts';
import type { MemoryLedger } from './memory-ledger.ts';
import { MemoryJobQueue, MemoryWorkflowPauses } from './memory-pauses.ts';

export const SMALL: ModelSpec = {
  name: 'small',
  provider: 'acme',
  id: 'small-1',
  contextTokens: 8_192,
  maxOutputTokens: 100,
  price: { inputPerMillion: 150_000_000, cachedInputPerMillion: 75_000_000, outputPerMillion: 600_000_000 },
  structuredOutput: 'prompt',
  logprobs: false,
};

export const TRIAGE: ClassifyWorkflow = {
  name: 'triage',
  task: 'classify',
  cascade: [{ model: SMALL }],
  labels: [
    { label: 'billing', description: 'Invoices' },
    { label: 'bug', description: 'Broken' },
  ],
  examples: [],
};

/** A good reply of a provider, with its usage. */
export function replyWith(text: string, reply: Partial<ModelReply> = {}): ModelReply {
  return {
    text,
    finish: 'stop',
    usage: { ...NO_USAGE, inputTokens: 100, outputTokens: 10 },
    rateLimitHeaders: {},
    durationMs: 5,
    ...reply,
  };
}

export const labelReply = (label: string, confidence = 0.9): ModelReply =>
  replyWith(JSON.stringify({ label, confidence }));

const NO_LOCAL_MODEL: LocalModel = {
  kind: 'naive-bayes',
  classify: () => Promise.reject(new Error('not asked here')),
  extract: () => Promise.reject(new Error('not asked here')),
  close: async () => {},
};

/** The parts of a worker without Redis, files or network: time is faked, and the provider is a function. */
export class MemoryApp {
  readonly cluster: MemoryCluster;
  readonly ledger: MemoryLedger;
  readonly workerId: string;
  readonly store = new MemoryStore();
  readonly clock = new FakeClock();
  readonly pauses = new MemoryWorkflowPauses();
  readonly jobs = new MemoryJobQueue();
  readonly runs = new Set<SliceRun>();
  readonly events: { readonly event: string; readonly fields: Readonly<Record<string, unknown>> }[] = [];
  readonly requests: ModelRequest[] = [];
  readonly notices: Notice[] = [];
  readonly evidence = new MemoryEvidenceBook();
  /** What refusals of the provider have taught. */
  readonly powered = new Set<string>();
  readonly lessons = new Map<string, Lessons>();
  readonly workflow: ClassifyWorkflow;
  readonly gate: ProviderGate;
  /** What the provider answers. */
  answer: (request: ModelRequest, signal: AbortSignal) => ModelReply | Promise<ModelReply> = () =>
    labelReply('billing');
  local: LocalModel = NO_LOCAL_MODEL;
  #calls = 0;

  private constructor(
    cluster: MemoryCluster,
    { ledger, lease }: Awaited<ReturnType<MemoryCluster['worker']>>,
    workflow: ClassifyWorkflow,
  ) {
    this.cluster = cluster;
    this.ledger = ledger;
    this.workerId = lease.workerId;
    this.workflow = workflow;
    const client: ModelClient = {
      call: async (request, signal) => {
        this.requests.push(request);
        return await this.answer(request, signal);
      },
      close: async () => {},
    };
    const { clock } = this;
    this.gate = new ProviderGate({
      name: 'acme',
      client,
      concurrency: 8,
      outageToleranceMs: 60_000,
      clock,
      hasPromptCache: false,
    });
  }

  static async open(workflow: ClassifyWorkflow = TRIAGE): Promise<MemoryApp> {
    const cluster = new MemoryCluster();
    return new MemoryApp(cluster, await cluster.worker(), workflow);
  }

  get batches() {
    return this.cluster.batches;
  }

  get slices(): ProcessSliceContext {
    const { batches, ledger, store, clock, runs, local } = this;
    return {
      batches,
      ledger,
      store,
      clock,
      runs,
      local,
      log: this.log,
      submission: async (batchId) => this.submission(batchId),
      providers: new Map([['acme', this.gate]]),
      pools: new Pools({ limits: new Map(), ledger, clock, random: () => 0 }),
      prefixes: new PromptPrefixes(clock),
      evidence: this.evidence,
      notify: this.notify,
      ratios: new InputRatios(),
      answers: new StoreAnswerCache(store, clock),
      localProviders: new Set(),
      random: () => 0,
      newId: () => {
        this.#calls += 1;
        return `call-${this.#calls}`;
      },
      maxAttempts: 3,
    };
  }

  get finalize(): FinalizeContext {
    const { batches, ledger, store, clock, log } = this;
    return {
      batches,
      ledger,
      store,
      clock,
      log,
      submission: async (batchId) => this.submission(batchId),
      histories: { get: async () => undefined, add: async () => {} },
      notify: this.notify,
      owners: { forget: async () => {} },
      powered: this.powered,
      lessonsOf: async () => this.lessons,
      breakerHistory: async () => [],
    };
  }

  get housekeeping(): MaintenanceContext {
    const { batches, ledger, clock, log, jobs, pauses, runs } = this;
    return {
      batches,
      ledger,
      clock,
      log,
      jobs,
      pauses,
      runs,
      workflows: ['triage'],
      notify: this.notify,
      timezoneOf: () => 'UTC',
      restore: async () => 0,
      shareRatios: async () => {},
      reap: (onBooked) => ledger.reapDeadWorkers(onBooked),
      house: { isHeld: true, take: async () => true, leave: async () => {} },
      checkAlerts: async () => {},
    };
  }

  get notify(): Notify {
    return async (notice) => void this.notices.push(notice);
  }

  get log(): Log {
    const note: Log['info'] = (event, fields = {}) => void this.events.push({ event, fields });
    return { debug: note, info: note, warn: note, error: note };
  }

  submission(batchId: string): BatchSubmission {
    return {
      schemaVersion: 1,
      batchId,
      createdAt: '2026-03-01T00:00:00.000Z',
      workflow: this.workflow,
      timezones: { workflow: 'UTC', global: 'UTC' },
      contentHash: '',
      configHash: '',
      prompt: { version: '', sha256: '' },
      inputs: [],
    };
  }

  /** A queued batch of one slice that has these texts or entries. */
  async batchOf(entries: readonly (string | SliceEntry)[]): Promise<string> {
    const batchId = await this.cluster.queuedBatch(1);
    const lines = entries.map((entry, index) =>
      formatSliceEntry(
        typeof entry === 'string'
          ? { kind: 'document', document: { id: `d${index}`, text: entry }, tokens: entry.split(' ').length }
          : entry,
      ),
    );
    await this.store.put(storeKeys.inputSlice(batchId, 0), gzipSync(lines.join('\n')));
    return batchId;
  }

  /** The rows of the committed slice, results first. */
  async rows(batchId: string): Promise<readonly Record<string, unknown>[]> {
    const commit = await this.batches.commitOf(batchId, 0);
    const rows: Record<string, unknown>[] = [];
    for (const file of [commit?.results, commit?.errors]) {
      const bytes = file === undefined ? undefined : await this.store.get(file.key);
      const lines = bytes === undefined ? [] : gunzipSync(bytes).toString().split('\n');
      rows.push(...lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>));
    }
    return rows;
  }
}
