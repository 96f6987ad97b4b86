import { randomUUID } from 'node:crypto';
import { batchTimezones, type Config, poweredIn } from '../config/config.ts';
import { priceOfModel } from '../config/model-price.ts';
import { describeTarget } from '../config/redis-target.ts';
import { version } from '../config/version.ts';
import type { KeyRegistry } from './access/api-key.ts';
import type { AuditLog } from './access/audit-log.ts';
import { BullmqJobQueue } from './adapters/bullmq/job-queue.ts';
import type { QueueConnection } from './adapters/bullmq/queue-options.ts';
import type { EmbeddedRedis } from './adapters/embedded-redis/embedded-redis.ts';
import { redisSearchFolders } from './adapters/embedded-redis/find-redis-server.ts';
import { startEmbeddedRedis } from './adapters/embedded-redis/start-embedded-redis.ts';
import { openLocalModel } from './adapters/local-model/open-local-model.ts';
import { localProviders, openProviders } from './adapters/open-providers.ts';
import { openStore } from './adapters/open-store.ts';
import { withTracing } from './adapters/otlp/with-tracing.ts';
import { RedisAlertMemory } from './adapters/redis/alert-memory.ts';
import { RedisAuditLog } from './adapters/redis/audit-log.ts';
import { RedisBatchRegistry } from './adapters/redis/batches.ts';
import { RedisCallOwners } from './adapters/redis/call-owners.ts';
import { RedisClusterMemory } from './adapters/redis/cluster-memory.ts';
import { connectRedis } from './adapters/redis/connect.ts';
import { RedisDeliveryLog } from './adapters/redis/delivery-log.ts';
import { RedisEvidenceBook } from './adapters/redis/evidence-book.ts';
import { FairClock } from './adapters/redis/fair-clock.ts';
import { checkRedisFormat } from './adapters/redis/format-stamp.ts';
import { HouseLease } from './adapters/redis/house-lease.ts';
import { RedisKeyRegistry } from './adapters/redis/key-registry.ts';
import { RedisKeys } from './adapters/redis/keys.ts';
import { RedisLessonBook } from './adapters/redis/lesson-book.ts';
import { RedisWorkerRegistry } from './adapters/redis/live-workers.ts';
import { RedisOpenAiRecords } from './adapters/redis/openai-records.ts';
import { RedisClock } from './adapters/redis/redis-clock.ts';
import type { RedisClient } from './adapters/redis/redis-options.ts';
import { RememberingLedger } from './adapters/redis/remembering/remembering-ledger.ts';
import { RedisScheduleBook } from './adapters/redis/schedule-book.ts';
import { readMemoryUsed } from './adapters/redis/server/read-memory-used.ts';
import { type Persistence, readPersistence } from './adapters/redis/server/read-persistence.ts';
import { type DiskRewrite, rewriteDisk } from './adapters/redis/server/rewrite-disk.ts';
import { WorkerLease } from './adapters/redis/worker-lease.ts';
import { RedisWorkflowHistories } from './adapters/redis/workflow-histories.ts';
import { RedisWorkflowPauses } from './adapters/redis/workflow-pauses.ts';
import { StoreAnswerCache } from './adapters/store-answer-cache/store-answer-cache.ts';
import { systemClock } from './adapters/system/system-clock.ts';
import { openAlertSink } from './adapters/webhook/open-alert-sink.ts';
import type { BatchRegistry } from './batches/batch-registry.ts';
import type { ClusterMemory } from './batches/cluster-memory.ts';
import { submissionCache } from './batches/submission-cache.ts';
import type { SubmitContext } from './batches/submit-batch.ts';
import type { WorkerRegistry } from './batches/worker-registry.ts';
import type { WorkflowPauses } from './batches/workflow-pauses.ts';
import type { BreakerContext } from './budgets/breaker.ts';
import { type AlertContext, checkAlerts, watchPrices } from './budgets/check-alerts.ts';
import { checkNotices, type NoticeContext } from './budgets/check-notices.ts';
import type { DeliveryLog } from './budgets/delivery-log.ts';
import type { MaintenanceContext } from './budgets/housekeeping.ts';
import { openNotifier } from './budgets/notify.ts';
import type { SliceRun } from './calls/slice-run.ts';
import type { OpenAiRecords } from './compat/openai-records.ts';
import type { FinalizeContext } from './finalize/finalize-batch.ts';
import type { CallOwners } from './ledger/call-owners.ts';
import { parseScope } from './ledger/scope.ts';
import type { LocalModel } from './local-model/local-model.ts';
import { measuredLog } from './measures/measured-log.ts';
import type { Meter } from './measures/meter.ts';
import type { LessonBook, Lessons } from './providers/lesson-book.ts';
import { PromptPrefixes } from './providers/prompt-prefixes.ts';
import { Pools } from './quota/pools.ts';
import { InputRatios } from './quota/token-ratios.ts';
import { ClockReport } from './runtime/clock-difference.ts';
import type { Log } from './runtime/log.ts';
import type { ScheduleBook } from './schedules/schedule-book.ts';
import type { ProcessSliceContext } from './slices/process-slice.ts';
import type { ObjectStore } from './store/object-store.ts';
import { checkStoreFormat } from './store/store-format.ts';
import { queuesOf } from './workflows/model-workflow.ts';

export interface OpenAppOptions {
  readonly config: Config;
  readonly log: Log;
  /** One line for the user when something takes longer or is installed. */
  readonly announce: (line: string) => void;
  /** The environment's PATH, for the embedded Redis. */
  readonly searchPath: string | undefined;
  readonly signal?: AbortSignal;
  /** Whose changes these are, for the audit log; e.g. `anna@build-7`. */
  readonly actor?: string;
  /** Told of every call, slice and event of this process. Absent: nobody measures. */
  readonly meter?: Meter;
}

/** Everything wired together. Whoever opens it closes it; `close()` may be called twice. */
export interface App extends AsyncDisposable {
  readonly config: Config;
  /** Whose changes these are, for the audit log. A server sets it for each request. */
  readonly actor: string;
  readonly audit: AuditLog;
  readonly apiKeys: KeyRegistry;
  /** What became of messages to webhooks. */
  readonly deliveries: DeliveryLog;
  /** What the OpenAI-compatible endpoint keeps. */
  readonly openai: OpenAiRecords;
  readonly log: Log;
  /** Redis's time, by which every process reckons. */
  readonly clock: RedisClock;
  readonly store: ObjectStore;
  readonly batches: BatchRegistry;
  /** For what asks models without being a batch. */
  readonly owners: CallOwners;
  readonly pauses: WorkflowPauses;
  readonly ledger: RememberingLedger;
  readonly local: LocalModel;
  readonly lease: WorkerLease;
  readonly workers: WorkerRegistry;
  /** What refusals have taught of providers' parameters. */
  readonly lessons: LessonBook;
  readonly schedules: ScheduleBook;
  readonly memory: ClusterMemory;
  readonly redis: {
    readonly description: string;
    readonly connection: QueueConnection;
    readonly persistence: () => Promise<Persistence>;
    /** Share of its memory that is used; undefined: it has no limit, or does not tell. */
    readonly memoryUsed: () => Promise<number | undefined>;
    /** Has the server write its files again, so that what was deleted leaves its disk. */
    readonly rewriteDisk: () => Promise<DiskRewrite>;
    /** Nothing waits for it any more: what does, and what comes, fails. */
    readonly disconnect: () => void;
  };
  readonly submit: SubmitContext;
  readonly breaker: BreakerContext;
  readonly slices: ProcessSliceContext;
  readonly finalize: FinalizeContext;
  readonly housekeeping: MaintenanceContext;
  close(): Promise<void>;
}

/** Opens connections in order and closes them in reverse, also when a later one fails. */
export async function openApp(options: OpenAppOptions): Promise<App> {
  const stack = new AsyncDisposableStack();
  try {
    const services = await openServices(await withTracing(options, stack), stack);
    const contexts = { ...buildContexts(options.config, services), actor: options.actor ?? 'unknown' };
    const closing = stack.move();
    const close = () => closing.disposeAsync();
    return { ...contexts, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

type Services = Awaited<ReturnType<typeof openServices>>;

async function openServices(options: OpenAppOptions, stack: AsyncDisposableStack) {
  const { config } = options;
  const log = measuredLog(options.log, options.meter);
  const { redis, connection, description } = await openRedis(options, stack);
  const keys = new RedisKeys(config.redisPrefix);
  await checkRedisFormat(redis, keys, description);
  const clock = await openClock(redis, keys, options, stack);
  const lease = new WorkerLease(redis, keys, config.worker.lockMs);
  const ledger = new RememberingLedger(redis, keys, lease);
  const store = stack.adopt(await openStore(config.store), (opened) => opened.close());
  await checkStoreFormat(store, version());
  const jobs = stack.adopt(new BullmqJobQueue(connection, new FairClock(redis, keys)), (opened) => opened.close());
  const local = stack.adopt(openLocalModel(), (opened) => opened.close());
  const lessons = new RedisLessonBook(redis, keys, clock);
  const providers = openProviders(config, clock, lessons, stack);
  const deliveries = new RedisDeliveryLog(redis, keys);
  const webhooks = await openAlertSink({
    targets: config.alerts.webhooks,
    log,
    deliveries,
    searchPath: options.searchPath,
    ...(config.proxy === undefined ? {} : { proxy: config.proxy }),
  });
  return {
    log,
    measured: options.meter === undefined ? {} : { meter: options.meter },
    clock,
    lease,
    ledger,
    batches: new RedisBatchRegistry(redis, keys),
    owners: new RedisCallOwners(redis, keys),
    pauses: new RedisWorkflowPauses(redis, keys),
    workers: new RedisWorkerRegistry(redis, keys),
    kept: { schedules: new RedisScheduleBook(redis, keys), memory: new RedisClusterMemory(redis, keys) },
    server: {
      description,
      connection,
      persistence: () => readPersistence(redis),
      rewriteDisk: () => rewriteDisk(redis),
      memoryUsed: () => readMemoryUsed(redis),
      disconnect: () => redis.disconnect(),
    },
    audit: new RedisAuditLog(redis, keys),
    apiKeys: new RedisKeyRegistry(redis, keys),
    openai: new RedisOpenAiRecords(redis, keys),
    histories: new RedisWorkflowHistories(redis, keys),
    memory: new RedisAlertMemory(redis, keys),
    evidence: new RedisEvidenceBook(redis, keys),
    deliveries,
    house: new HouseLease(redis, keys),
    store,
    jobs,
    local,
    providers,
    lessons,
    sink: stack.adopt(webhooks, (opened) => opened.close()),
  };
}

function buildContexts(config: Config, services: Services): Omit<App, 'actor' | 'close' | typeof Symbol.asyncDispose> {
  const { batches, jobs, pauses, ledger, log, store, local, lease, histories, memory, sink, providers } = services;
  const { audit, apiKeys, openai, house, clock, workers, owners } = services;
  const submission = submissionCache(store);
  const runs = new Set<SliceRun>();
  const ratios = new InputRatios();
  const notify = openNotifier({ memory, sink, clock, log });
  const base = {
    ...{ batches, jobs, pauses, owners, workers, ledger, log, store, clock, newId: randomUUID, notify },
    ...services.measured,
  };
  const breaker: BreakerContext = { ...base, workflows: queuesOf(config) };
  const timezones = (workflow: string) => batchTimezones(config, workflow);
  const notices: NoticeContext = { ...base, ...config.alerts, timezone: config.timezone };
  const alerts: AlertContext = { ...breaker, histories, memory, sink, timezones, fired: new Set() };
  return {
    ...base,
    deliveries: services.deliveries,
    lessons: services.lessons,
    ...services.kept,
    config,
    audit,
    apiKeys,
    openai,
    local,
    lease,
    redis: services.server,
    submit: base,
    breaker,
    slices: {
      ...base,
      local,
      runs,
      submission,
      providers,
      pools: new Pools({ limits: config.pools, ledger, clock, random: Math.random }),
      prefixes: new PromptPrefixes(clock),
      evidence: services.evidence,
      ratios,
      prices: watchPrices(alerts),
      priceOf: (provider, modelId) => priceOfModel(config, provider, modelId),
      answers: new StoreAnswerCache(store, clock),
      localProviders: localProviders(config),
      random: Math.random,
      maxAttempts: config.worker.maxCallAttempts,
    },
    finalize: {
      ...base,
      submission,
      histories,
      powered: poweredIn(config),
      lessonsOf: lessonsOf(config, services.lessons),
      breakerHistory: breakerHistory(pauses),
    },
    housekeeping: {
      ...breaker,
      runs,
      shareRatios: () => ledger.shareRatios(ratios),
      house,
      restore: () => ledger.restoreIfRestarted(),
      reap: (onBooked) => ledger.reapDeadWorkers(onBooked),
      checkAlerts: (open, check) =>
        checkAlerts({ ...alerts, checkNotices: () => checkNotices(notices, open) }, open, check),
      timezoneOf: (scope) => timezoneOf(config, scope),
    },
  };
}

async function openRedis(
  options: OpenAppOptions,
  stack: AsyncDisposableStack,
): Promise<{ redis: RedisClient; connection: QueueConnection; description: string }> {
  const { config } = options;
  let target = config.redis;
  let description = target === undefined ? '' : describeTarget(target);
  if (target === undefined) {
    const embedded: EmbeddedRedis = stack.use(
      await startEmbeddedRedis({
        folder: config.folder,
        searchFolders: redisSearchFolders(options.searchPath),
        allowInstall: true,
        announce: options.announce,
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      }),
    );
    target = { url: `unix://${embedded.socketPath}` };
    description = embedded.description;
  }
  const redis = stack.adopt(await connectRedis(target), (opened) => opened.disconnect());
  const keys = new RedisKeys(config.redisPrefix);
  return { redis, connection: { target, prefix: keys.bullmqPrefix }, description };
}

function breakerHistory(pauses: WorkflowPauses): FinalizeContext['breakerHistory'] {
  return async (batchId, workflow) => [
    ...(await pauses.history(workflow)),
    ...(await pauses.history(`batch:${batchId}`)),
  ];
}

/** Of a provider that this config does not have nothing is said. */
function lessonsOf({ providers }: Config, lessons: LessonBook) {
  return async (provider: string): Promise<ReadonlyMap<string, Lessons>> => {
    const baseUrl = providers.get(provider)?.baseUrl;
    return baseUrl === undefined ? new Map() : await lessons.read({ provider, baseUrl });
  };
}

/** Measured at the start, and again as often as a worker renews its lease. */
async function openClock(
  redis: RedisClient,
  keys: RedisKeys,
  { config, log }: OpenAppOptions,
  stack: AsyncDisposableStack,
): Promise<RedisClock> {
  const clock = await RedisClock.open(redis, keys, systemClock);
  const report = new ClockReport(log);
  report.tell(clock.aheadMs);
  stack.use(clock.keep(config.worker.lockMs / 3, () => report.tell(clock.aheadMs)));
  return clock;
}

function timezoneOf(config: Config, scope: string): string {
  const parts = parseScope(scope);
  return (parts?.kind === 'workflow' ? config.workflows.get(parts.name)?.timezone : undefined) ?? config.timezone;
}
