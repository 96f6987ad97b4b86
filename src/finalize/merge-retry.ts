import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { BatchRecord, BatchRegistry, DocumentOutcome, Recount } from '../batches/batch-registry.ts';
import { endedAs } from '../batches/batch-states.ts';
import { ModelSums } from '../batches/model-totals.ts';
import { readSlice } from '../batches/read-slice.ts';
import { addServedModels } from '../batches/slice-commit.ts';
import { NightmillError } from '../errors.ts';
import { usdJson, usdToNano } from '../money/money.ts';
import { addUsage, type Usage } from '../money/usage.ts';
import { sumByProvider } from '../providers/power-book.ts';
import { type ResultFile, unpackFiles } from '../results/result-files.ts';
import type { Log } from '../runtime/log.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { storeKeys } from '../store/store-keys.ts';
import { numberText, parseJsonExactly } from '../text/json-value.ts';
import { splitLines } from '../text/split-lines.ts';
import { changedModels } from './build-manifest.ts';
import { formatManifest, type Manifest, type ManifestFile } from './manifest.ts';
import { readManifest } from './read-manifest.ts';
import { DEAREST } from './sum-commits.ts';

interface MergeContext {
  readonly store: ObjectStore;
  readonly batches: BatchRegistry;
  readonly log: Log;
}

/**
 * Puts the rows of a retry in the place of the error rows that it asked again: the batch gets new files, in input order,
 * and a new manifest, whose money is that of both. A row counts the calls and the cost of all tries, so rows, ledger and
 * manifest stay equal. May be repeated at any point, like the finalizing that it is part of.
 *
 * @returns what the batch counts from the moment on in which the retry has ended; undefined: it is no retry
 */
export async function mergeRetry(
  context: MergeContext,
  retry: BatchRecord,
  manifest: Manifest,
): Promise<Recount | undefined> {
  const { store, batches, log } = context;
  const parent = retry.retryOf === undefined ? undefined : await batches.get(retry.retryOf);
  if (parent === undefined) return undefined;
  const bytes = await store.get(storeKeys.manifest(parent.batchId));
  if (bytes === undefined) {
    log.error('retry:orphaned', { batch: retry.batchId, retryOf: parent.batchId });
    return undefined;
  }
  const prefix = `${storeKeys.batch(parent.batchId)}output/`;
  const before = readManifest(Buffer.from(bytes).toString(), (key) => key.startsWith(prefix));
  const done = before.retries?.some(({ batch }) => batch === retry.batchId) === true;
  const merged = done ? before : await merge(store, parent, before, manifest);
  if (!done) await store.put(storeKeys.manifest(parent.batchId), Buffer.from(formatManifest(merged)));
  const { total: _, ...outcomes } = merged.documents;
  return { batchId: parent.batchId, outcomes, state: merged.state };
}

async function merge(store: ObjectStore, parent: BatchRecord, before: Manifest, retry: Manifest): Promise<Manifest> {
  const number = (before.retries?.length ?? 0) + 1;
  const rows = mergedRows(store, parent, before, retry);
  const results = new RowFile(store, storeKeys.retried(parent.batchId, number, 'output'));
  const errors = new RowFile(store, storeKeys.retried(parent.batchId, number, 'errors'));
  const outcomes: Record<DocumentOutcome, number> = { succeeded: 0, failed: 0, cancelled: 0, expired: 0, skipped: 0 };
  for await (const { status, line } of rows) {
    outcomes[status] += 1;
    await (status === 'succeeded' ? results : errors).write(line);
  }
  const files = { results: [await results.end()], errors: await errors.end() };
  return {
    ...before,
    state: endedAs(outcomes),
    documents: { total: before.documents.total, ...outcomes },
    results: files.results,
    errors: files.errors.lines === 0 ? [] : [files.errors],
    usage: addUsage(before.usage, retry.usage),
    models: new ModelSums().add(before.models).add(retry.models).total(),
    ...mergeFacts(before, retry),
    rejections: addCounts(before.rejections, retry.rejections, addCodes),
    redactions: addCounts(before.redactions, retry.redactions, addNumbers),
    cost: before.cost + retry.cost,
    uncertain: [...before.uncertain, ...retry.uncertain],
    uncertainCost: before.uncertainCost + retry.uncertainCost,
    reused: {
      duplicates: before.reused.duplicates + retry.reused.duplicates,
      cached: before.reused.cached + retry.reused.cached,
      earlier: before.reused.earlier + retry.reused.earlier,
      saved: before.reused.saved + retry.reused.saved,
    },
    retries: [
      ...(before.retries ?? []),
      {
        batch: retry.batchId,
        finishedAt: retry.finishedAt,
        documents: retry.documents,
        cost: retry.cost,
        uncertainCost: retry.uncertainCost,
        hashes: retry.hashes,
      },
    ],
  };
}

/** What manifests of earlier versions do not have. */
function mergeFacts(before: Manifest, retry: Manifest): Partial<Manifest> {
  const served = addServedModels(before.served ?? [], retry.served ?? []);
  const dearest = addCounts(costById(before.dearest), costById(retry.dearest), addNumbers);
  return {
    ...(before.power === undefined && retry.power === undefined
      ? {}
      : { power: sumByProvider([...(before.power ?? []), ...(retry.power ?? [])]) }),
    labels: addCounts(before.labels ?? {}, retry.labels ?? {}, addNumbers),
    callRetries: addCounts(before.callRetries ?? {}, retry.callRetries ?? {}, addNumbers),
    ...(before.evidence === undefined && retry.evidence === undefined
      ? {}
      : { evidence: addCounts(before.evidence ?? {}, retry.evidence ?? {}, addNumbers) }),
    escalations: addCounts(before.escalations ?? {}, retry.escalations ?? {}, addCodes),
    served,
    warnings: changedModels(served),
    dearest: Object.entries(dearest)
      .map(([id, cost]) => ({ id, cost }))
      .sort((a, b) => b.cost - a.cost)
      .slice(0, DEAREST),
  };
}

function costById(documents: Manifest['dearest'] = []): Readonly<Record<string, number>> {
  return Object.fromEntries(documents.map(({ id, cost }) => [id, cost]));
}

function addNumbers(a: number | undefined, b: number): number {
  return (a ?? 0) + b;
}

function addCodes(
  a: Manifest['rejections'][string] | undefined,
  b: Manifest['rejections'][string],
): Manifest['rejections'][string] {
  return { count: (a?.count ?? 0) + b.count, cost: (a?.cost ?? 0) + b.cost };
}

function addCounts<T>(
  a: Readonly<Record<string, T>>,
  b: Readonly<Record<string, T>>,
  add: (a: T | undefined, b: T) => T,
): Record<string, T> {
  const sum: Record<string, T> = { ...a };
  for (const [key, value] of Object.entries(b)) sum[key] = add(sum[key], value);
  return sum;
}

interface RowLine {
  readonly id: string;
  readonly status: DocumentOutcome;
  readonly line: Uint8Array;
}

/** All four files are in input order, so a look at the head of each is enough. */
async function* mergedRows(
  store: ObjectStore,
  parent: BatchRecord,
  before: Manifest,
  retry: Manifest,
): AsyncGenerator<RowLine, void, undefined> {
  const old = { results: new RowCursor(store, before.results), errors: new RowCursor(store, before.errors) };
  const again = { results: new RowCursor(store, retry.results), errors: new RowCursor(store, retry.errors) };
  for (let slice = 0; slice < parent.slices; slice++) {
    for (const entry of await readSlice(store, parent.batchId, slice)) {
      const id = entry.kind === 'document' ? entry.document.id : entry.skipped.id;
      const failed = await old.errors.take(id);
      if (failed === undefined) {
        const answered = await old.results.take(id);
        if (answered === undefined) throw lostRow(parent.batchId, id);
        yield answered;
        continue;
      }
      const second = (await again.results.take(id)) ?? (await again.errors.take(id));
      yield second === undefined ? failed : addTries(failed, second);
    }
  }
}

/** The later row with the calls and the cost of both; one that was cut short says nothing new. */
function addTries(first: RowLine, second: RowLine): RowLine {
  const cutShort = second.status === 'cancelled' || second.status === 'expired';
  const rows = [first, second].map(({ line }) => parseJsonExactly(Buffer.from(line).toString()) as WrittenRow);
  const [a, b] = rows as [WrittenRow, WrittenRow];
  const shown = cutShort ? a : b;
  const merged = {
    ...shown,
    calls: a.calls + b.calls,
    usage: addUsage(a.usage, b.usage),
    costUsd: usdJson(usdToNano(numberText(a.costUsd)) + usdToNano(numberText(b.costUsd))),
    ...addSpending(a.spent, b.spent),
  };
  return { id: first.id, status: shown.status, line: Buffer.from(JSON.stringify(merged)) };
}

interface WrittenRow {
  readonly status: DocumentOutcome;
  readonly calls: number;
  readonly usage: Usage;
  readonly costUsd: unknown;
  readonly spent?: readonly WrittenSpending[];
}

interface WrittenSpending {
  readonly tier: number;
  readonly model: string;
  readonly calls: number;
  readonly costNanoUsd: number;
  readonly requestIds?: readonly string[];
}

function addSpending(
  a: readonly WrittenSpending[] = [],
  b: readonly WrittenSpending[] = [],
): Pick<WrittenRow, 'spent'> {
  const sums = new Map<string, WrittenSpending>();
  for (const each of [...a, ...b]) {
    const key = `${each.tier}\0${each.model}`;
    const { calls = 0, costNanoUsd = 0, requestIds = [] } = sums.get(key) ?? {};
    const ids = [...requestIds, ...(each.requestIds ?? [])];
    sums.set(key, {
      ...each,
      calls: calls + each.calls,
      costNanoUsd: costNanoUsd + each.costNanoUsd,
      ...(ids.length === 0 ? {} : { requestIds: ids }),
    });
  }
  return sums.size === 0 ? {} : { spent: [...sums.values()].sort((x, y) => x.tier - y.tier) };
}

function lostRow(batchId: string, id: string): NightmillError {
  return new NightmillError(
    'internal',
    `Batch ${batchId} has no row for the document ${JSON.stringify(id)}, so its retry cannot be merged`,
  );
}

/** Rows of some files, one after another, with a look at the next. */
class RowCursor {
  readonly #rows: AsyncIterator<RowLine>;
  #head: RowLine | undefined;
  #started = false;

  constructor(store: ObjectStore, files: readonly ResultFile[]) {
    this.#rows = readRowLines(store, files);
  }

  /** The next row where it is of that document. */
  async take(id: string): Promise<RowLine | undefined> {
    if (!this.#started) await this.#advance();
    this.#started = true;
    const head = this.#head;
    if (head?.id !== id) return undefined;
    await this.#advance();
    return head;
  }

  async #advance(): Promise<void> {
    const next = await this.#rows.next();
    this.#head = next.done === true ? undefined : next.value;
  }
}

async function* readRowLines(store: ObjectStore, files: readonly ResultFile[]): AsyncGenerator<RowLine> {
  for await (const lines of splitLines(unpackFiles(store, files), Number.POSITIVE_INFINITY)) {
    // The bytes of a line are good until the next piece only.
    for (const raw of lines.flatMap((one) => ('bytes' in one ? [Buffer.from(one.bytes)] : []))) {
      const { id, status } = JSON.parse(raw.toString()) as { id: string; status: DocumentOutcome };
      yield { id, status, line: raw };
    }
  }
}

/** A file of rows that is written as they come. */
class RowFile {
  readonly #key: string;
  readonly #rows: WritableStreamDefaultWriter<Uint8Array>;
  readonly #stored: Promise<void>;
  readonly #hash = createHash('sha256');
  #bytes = 0;
  #lines = 0;

  constructor(store: ObjectStore, key: string) {
    this.#key = key;
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    this.#rows = writable.getWriter();
    const packed = Readable.fromWeb(readable as Parameters<typeof Readable.fromWeb>[0]).pipe(createGzip());
    const count = (body: Buffer) => {
      this.#hash.update(body);
      this.#bytes += body.length;
      return body;
    };
    this.#stored = store.putStream(key, packed.map(count));
    // It shows when the file ends; until then it must not count as unhandled.
    this.#stored.catch(() => {});
  }

  async write(line: Uint8Array): Promise<void> {
    this.#lines += 1;
    await Promise.race([this.#rows.write(Buffer.concat([line, LINE_FEED])), this.#stored]);
  }

  async end(): Promise<ManifestFile> {
    await this.#rows.close();
    await this.#stored;
    return { key: this.#key, bytes: this.#bytes, sha256: this.#hash.digest('hex'), lines: this.#lines };
  }
}

const LINE_FEED = Buffer.from('\n');
