import { isDeepStrictEqual } from 'node:util';
import PQueue from 'p-queue';
import type { App } from '../../app.ts';
import type { BatchRecord } from '../../batches/batch-registry.ts';
import { hasManifest } from '../../batches/batch-states.ts';
import { NightmillError } from '../../errors.ts';
import type { Manifest } from '../../finalize/manifest.ts';
import { readManifest } from '../../finalize/read-manifest.ts';
import { scopesOf } from '../../ledger/scope.ts';
import { usdToNano } from '../../money/money.ts';
import { type PowerShare, readPowerBook } from '../../providers/power-book.ts';
import { buildReport, REPORT_GROUPS, type Report, type ReportedBatch, type ReportGroup } from '../../reports/report.ts';
import { DAY_MS } from '../../runtime/durations.ts';
import { storeKeys } from '../../store/store-keys.ts';
import { numberText } from '../../text/json-value.ts';
import { modelsOfTier, type WorkflowSpec } from '../../workflows/workflow.ts';
import { readAdvice } from './read-advice.ts';

export interface ReportOperation {
  /** 1 to 366. */
  readonly days: number;
  readonly by: ReportGroup;
  /** Which batches there are for whoever asks. Default: all, and with them the forecast of the whole month. */
  readonly visible?: (batch: BatchRecord) => boolean;
}

const MAX_DAYS = 366;
/** A batch is looked for among those that were submitted so long before the period. */
const LONGEST_BATCH_DAYS = 31;
const LISTED_AT_ONCE = 500;
const MAX_CONCURRENT_READS = 16;

/** @throws {NightmillError} `usage` */
export function readReportDays(text: string): number {
  const days = Number(text);
  if (Number.isInteger(days) && days >= 1 && days <= MAX_DAYS) return days;
  throw new NightmillError('usage', `Cannot report on ${JSON.stringify(text)} days: use 1 to ${MAX_DAYS}.`);
}

/** @throws {NightmillError} `usage` */
export function readReportGroup(text: string): ReportGroup {
  const group = REPORT_GROUPS.find((known) => known === text);
  if (group !== undefined) return group;
  throw new NightmillError('usage', `Cannot group by ${JSON.stringify(text)}: use ${REPORT_GROUPS.join(', ')}.`);
}

/** Spend and results of the last days, from the manifests in the store. */
export async function readReport(app: App, { days, by, visible }: ReportOperation): Promise<Report> {
  const now = app.clock.now();
  const batches = await endedSince(app, now - 2 * days * DAY_MS, visible);
  const queue = new PQueue({ concurrency: MAX_CONCURRENT_READS });
  const read = await queue.addAll(batches.map((batch) => () => readReported(app, batch)));
  const reported = read.filter((batch) => batch !== undefined);
  const present = reported.filter(({ manifest }) => Date.parse(manifest.finishedAt) > now - days * DAY_MS);
  return buildReport({
    batches: reported,
    advice: await readAdvice(
      app.store,
      present.flatMap(({ manifest, workflow }) => (workflow === undefined ? [] : [{ manifest, workflow }])),
    ),
    power: await powerOf(app, now - days * DAY_MS, visible === undefined ? undefined : present),
    now,
    days,
    by,
    timezone: app.config.timezone,
    ...(visible === undefined ? { monthSpent: await spentThisMonth(app, now) } : {}),
  });
}

/** @param batches whose parts alone are told; absent: all, and what was nobody's */
async function powerOf(
  app: App,
  since: number,
  batches: readonly ReportedBatch[] | undefined,
): Promise<readonly PowerShare[]> {
  const shares = await readPowerBook(app.store, { since, until: app.clock.now() });
  if (batches === undefined) return shares;
  const ids = new Set(batches.map(({ manifest }) => manifest.batchId));
  return shares.filter(({ batch = '' }) => ids.has(batch));
}

async function endedSince(app: App, since: number, visible: ReportOperation['visible']): Promise<BatchRecord[]> {
  const found: BatchRecord[] = [];
  for (let from = 0; ; from += LISTED_AT_ONCE) {
    const batches = await app.batches.list(LISTED_AT_ONCE, from);
    for (const batch of batches) {
      const isEnded = hasManifest(batch.state) && (batch.finishedAt ?? 0) > since;
      if (isEnded && batch.retryOf === undefined && (visible === undefined || visible(batch))) found.push(batch);
    }
    const oldest = batches.at(-1);
    if (batches.length < LISTED_AT_ONCE || oldest === undefined) return found;
    if (oldest.createdAt < since - LONGEST_BATCH_DAYS * DAY_MS) return found;
  }
}

interface ReadBatch extends ReportedBatch {
  /** As it was submitted; absent where that is gone. */
  readonly workflow?: WorkflowSpec;
}

/** Undefined where its manifest is gone. */
async function readReported(app: App, { batchId }: BatchRecord): Promise<ReadBatch | undefined> {
  const [bytes, submission] = await Promise.all([
    app.store.get(storeKeys.manifest(batchId)),
    app.store.get(storeKeys.submission(batchId)),
  ]);
  if (bytes === undefined) return undefined;
  const manifest = withDigest(readManifest(Buffer.from(bytes).toString(), () => true));
  if (submission === undefined) return { manifest, repriced: [] };
  const { workflow } = JSON.parse(Buffer.from(submission).toString()) as Awaited<
    ReturnType<App['slices']['submission']>
  >;
  const repriced = workflow.cascade.flatMap(modelsOfTier).filter(({ name, price }) => {
    const present = app.config.models.get(name);
    // Through JSON, as the batch's own went.
    return present !== undefined && !isDeepStrictEqual(price, asJson(present.price));
  });
  return { manifest, workflow, repriced: repriced.map(({ name }) => name) };
}

/** What a digest has cost is booked beside its batch, and is the night's all the same. */
function withDigest(manifest: Manifest): Manifest {
  if (manifest.digest === undefined) return manifest;
  const { costUsd, uncertainUsd } = manifest.digest as { readonly costUsd: unknown; readonly uncertainUsd: unknown };
  return {
    ...manifest,
    cost: manifest.cost + usdToNano(numberText(costUsd)),
    uncertainCost: manifest.uncertainCost + usdToNano(numberText(uncertainUsd)),
  };
}

function asJson(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

async function spentThisMonth(app: App, now: number): Promise<number> {
  const zone = app.config.timezone;
  const scopes = scopesOf({ batchId: '', workflow: '' }, now, { workflow: zone, global: zone });
  const month = scopes.find(({ name }) => name === 'global/month');
  if (month === undefined) return 0;
  const { settled, uncertain } = await app.ledger.totals(month);
  return settled + uncertain;
}
