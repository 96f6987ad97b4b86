import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type NanoUsd, usdToNano } from '../../src/money/money.ts';
import type { BillLine } from '../../src/simulator/bill.ts';

interface DownloadedRow {
  readonly id: string;
  readonly status: string;
  readonly calls: number;
  readonly costUsd: number;
}

interface DownloadedManifest {
  readonly state: string;
  readonly documents: Readonly<Record<string, number>>;
  readonly costUsd: number;
  readonly uncertainUsd: number;
  readonly cost: {
    readonly byModel: readonly { readonly calls: number; readonly costUsd: number }[];
    readonly uncertain: {
      readonly calls: number;
      readonly list: readonly { readonly model: string; readonly costUsd: number; readonly reason: string }[];
    };
  };
}

/** One ended batch as a user sees it, in nano-dollars. */
export interface BatchBooks {
  readonly documents: number;
  readonly failed: number;
  readonly cost: NanoUsd;
  readonly uncertain: NanoUsd;
  readonly uncertainCalls: number;
  /** Replies that rows have paid for. */
  readonly paidCalls: number;
  /** Answers that no call was made for. */
  readonly freeAnswers: number;
  readonly problems: readonly string[];
}

/** Holds a downloaded batch against what was submitted and against the ledger. */
export function checkBatch(
  folder: string,
  submitted: readonly string[],
  ledger: { readonly settled: NanoUsd; readonly uncertain: NanoUsd; readonly held: NanoUsd },
): BatchBooks {
  const problems: string[] = [];
  const expect = (holds: boolean, problem: () => string) => {
    if (!holds) problems.push(`${folder.split('/').at(-1)}: ${problem()}`);
  };
  const results = readLines<DownloadedRow>(join(folder, 'results.jsonl'));
  const errors = readLines<DownloadedRow>(join(folder, 'errors.jsonl'));
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as DownloadedManifest;
  const rows = [...results, ...errors];

  const order = new Map(submitted.map((id, index) => [id, index]));
  for (const [name, list] of [
    ['results', results],
    ['errors', errors],
  ] as const) {
    const positions = list.map(({ id }) => order.get(id) ?? -1);
    expect(!positions.includes(-1), () => `${name} has a document that was not submitted`);
    expect(
      positions.every((position, index) => index === 0 || position > (positions[index - 1] ?? 0)),
      () => `${name} are not in input order`,
    );
  }
  const seen = new Set(rows.map(({ id }) => id));
  expect(seen.size === rows.length, () => `${rows.length - seen.size} documents are in more than one row`);
  expect(seen.size === submitted.length, () => `${submitted.length - seen.size} documents are in no row`);
  const { total, ...parts } = manifest.documents;
  expect(
    total === submitted.length,
    () => `the manifest counts ${total} documents, ${submitted.length} were submitted`,
  );
  expect(
    sum(Object.values(parts)) === total,
    () => `the manifest's parts do not add up: ${JSON.stringify(manifest.documents)}`,
  );
  expect(
    parts.succeeded === results.length,
    () => `the manifest says ${parts.succeeded} succeeded, there are ${results.length} results`,
  );

  const endedEarly = (parts.cancelled ?? 0) + (parts.expired ?? 0);
  expect(
    manifest.state !== 'completed' || endedEarly === 0,
    () => `the manifest says completed, and counts ${endedEarly} documents that were cancelled or expired`,
  );

  const cost = usdToNano(manifest.costUsd);
  const uncertain = usdToNano(manifest.uncertainUsd);
  const rowsCost = sum(rows.map(({ costUsd }) => usdToNano(costUsd)));
  expect(rowsCost === cost, () => `the rows cost ${rowsCost} nano-dollars, the manifest says ${cost}`);
  expect(ledger.settled === cost, () => `the ledger has settled ${ledger.settled}, the manifest says ${cost}`);
  expect(
    ledger.uncertain === uncertain,
    () => `the ledger has ${ledger.uncertain} uncertain, the manifest says ${uncertain}`,
  );
  expect(ledger.held === 0, () => `the ledger still holds ${ledger.held}`);
  const modelsCost = sum(manifest.cost.byModel.map(({ costUsd }) => usdToNano(costUsd)));
  expect(modelsCost === cost, () => `the manifest's models cost ${modelsCost}, its total is ${cost}`);
  const { calls, list } = manifest.cost.uncertain;
  expect(calls === list.length, () => `the manifest counts ${calls} uncertain calls and lists ${list.length}`);
  const listed = sum(list.map(({ costUsd }) => usdToNano(costUsd)));
  expect(listed === uncertain, () => `the listed uncertain calls cost ${listed}, the manifest says ${uncertain}`);
  const paidCalls = sum(manifest.cost.byModel.map((model) => model.calls));
  expect(sum(rows.map((row) => row.calls)) === paidCalls, () => `rows and models count different calls`);
  const freeAnswers = results.filter((row) => row.calls === 0).length;
  const counts = { documents: total ?? 0, failed: errors.length, uncertainCalls: calls, paidCalls, freeAnswers };
  return { ...counts, cost, uncertain, problems };
}

export interface BillContext {
  /** Admitted calls that Redis has forgotten with a lost second: so much may be missing in the books. */
  readonly forgotten: { readonly calls: number; readonly held: NanoUsd };
  /** What the ledger has for the whole day. */
  readonly day: { readonly settled: NanoUsd; readonly uncertain: NanoUsd };
  /** Whether there are calls of no row: of digests, probes, candidates. */
  readonly hasCallsBeside: boolean;
}

/**
 * Holds all batches together against the provider's bill. A billed call is either in a row or uncertain, and a request
 * that is billed n times has n - 1 uncertain calls, because its stored reply is never bought again.
 *
 * @returns `unbooked`: what was billed and is neither in a row nor uncertain
 */
export function checkBill(
  billFile: string,
  books: readonly BatchBooks[],
  history: { readonly admitted: number; readonly stored: number },
  { forgotten, day, hasCallsBeside }: BillContext,
): { readonly calls: number; readonly unbooked: NanoUsd; readonly problems: readonly string[] } {
  const lines = readLines<BillLine>(billFile);
  const problems: string[] = [];
  const billed = sum(lines.map(({ costNanoUsd }) => costNanoUsd));
  const rows = {
    settled: sum(books.map((batch) => batch.cost)),
    uncertain: sum(books.map((batch) => batch.uncertain)),
  };
  const { settled: cost, uncertain } = hasCallsBeside ? day : rows;
  // What rows have paid for is in the day, also after a recovery; what was uncertain may be settled there.
  for (const [kind, mayMiss] of [
    ['settled', 0],
    ['uncertain', forgotten.held],
  ] as const) {
    const beside = day[kind] - rows[kind];
    if (beside < -mayMiss || (!hasCallsBeside && beside > forgotten.held))
      problems.push(`the ledger's day has ${day[kind]} ${kind}, its batches ${rows[kind]}${said(forgotten.held)}`);
  }
  const uncertainCalls = sum(books.map((batch) => batch.uncertainCalls));
  const paidCalls = sum(books.map((batch) => batch.paidCalls));
  // Every text is unlike every other: only a reply that Redis has forgotten can be found in the cache.
  const freeAnswers = sum(books.map((batch) => batch.freeAnswers));
  if (freeAnswers > forgotten.calls)
    problems.push(`${freeAnswers} documents have an answer that no call was made for${said(forgotten.calls)}`);
  // Repairs of the form go without their document: equal replies give equal requests, each paid for once.
  const [repairs, questions] = [lines.filter(({ repair }) => repair), lines.filter(({ repair }) => !repair)];
  const requests = new Set(questions.map(({ requestHash }) => requestHash)).size + repairs.length;
  const difference = billed - cost;
  if (difference < 0 || difference > uncertain + forgotten.held) {
    problems.push(
      `the bill is ${billed} nano-dollars, the rows ${cost}: the difference ${difference} is not within the uncertain ${uncertain}` +
        said(forgotten.held),
    );
  }
  const unpaid = lines.length - paidCalls;
  if (hasCallsBeside) return { calls: lines.length, unbooked: Math.max(0, difference - uncertain), problems };
  if (unpaid < 0 || unpaid > uncertainCalls + forgotten.calls) {
    problems.push(
      `${lines.length} calls were billed, ${paidCalls} are in rows: ${uncertainCalls} uncertain calls do not explain the rest` +
        said(forgotten.calls),
    );
  }
  if (paidCalls > requests) problems.push(`rows pay for ${paidCalls} replies to ${requests} different requests`);
  if (lines.length - requests > uncertainCalls + forgotten.calls) {
    problems.push(`${lines.length - requests} repeated purchases, but only ${uncertainCalls} uncertain calls`);
  }
  if (Math.abs(history.stored - paidCalls) > forgotten.calls) {
    problems.push(`${history.stored} replies were stored, rows pay for ${paidCalls}`);
  }
  if (lines.length > history.admitted + forgotten.calls) {
    problems.push(`${lines.length} calls were billed, but only ${history.admitted} were admitted`);
  }
  return { calls: lines.length, unbooked: Math.max(0, difference - uncertain), problems };
}

function said(forgotten: number): string {
  return forgotten === 0 ? '' : ` and the ${forgotten} that Redis has forgotten`;
}

function readLines<T>(path: string): T[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
