import { readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { z } from 'zod';
import { usdToNano } from '../../src/money/money.ts';
import { Cli, type CliOptions, type Finished, runCli } from './cli.ts';
import { programFiles } from './program.ts';
import { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.ts';

/** The parts of `status --json` that tests read. */
export interface StatusJson {
  readonly id: string;
  readonly state: string;
  readonly documents: Readonly<Record<string, number>>;
  readonly spentUsd: number;
  readonly uncertainUsd: number;
  readonly heldUsd: number;
  readonly limitUsd: number | null;
  readonly breaker: { readonly state: string; readonly cause?: string; readonly reason?: string };
}

export interface RowJson {
  readonly id: string;
  readonly status: string;
  readonly result?: { readonly label?: string; readonly summary?: string; readonly confidence?: number };
  readonly error?: { readonly code: string; readonly message: string };
  readonly tier?: number;
  readonly model?: string;
  /** A model stood in because a provider was in trouble. */
  readonly fallback?: boolean;
  readonly calls: number;
  readonly usage: Readonly<Record<string, number>>;
  readonly costUsd: number;
  readonly spent?: readonly {
    readonly tier: number;
    readonly model: string;
    readonly calls: number;
    readonly costNanoUsd: number;
    readonly requestIds?: readonly string[];
  }[];
  readonly durationMs?: number;
  readonly metadata?: unknown;
}

export interface ManifestJson {
  readonly batch: string;
  readonly state: string;
  readonly documents: Readonly<Record<string, number>>;
  readonly files: readonly {
    readonly key: string;
    readonly bytes: number;
    readonly sha256: string;
    readonly lines: number;
  }[];
  readonly usage: Readonly<Record<string, number>>;
  readonly costUsd: number;
  readonly uncertainUsd: number;
  readonly cost: {
    readonly byModel: readonly { readonly model: string; readonly calls: number; readonly costUsd: number }[];
    readonly uncertain: { readonly calls: number; readonly costUsd: number };
  };
  readonly breaker: readonly { readonly event: string; readonly reason: string }[];
}

export interface Output {
  readonly results: readonly RowJson[];
  readonly errors: readonly RowJson[];
  readonly manifest: ManifestJson;
}

/** A working folder as a user has one: config, documents, and the commands run in it. Disposing kills what still runs. */
export class Workspace implements AsyncDisposable {
  readonly folder: string;
  readonly #temporary: TemporaryFolder;
  readonly #started: Cli[] = [];

  private constructor(temporary: TemporaryFolder) {
    this.#temporary = temporary;
    this.folder = temporary.path;
  }

  static async make(files: Readonly<Record<string, string | Uint8Array>> = {}): Promise<Workspace> {
    const workspace = new Workspace(await makeTemporaryFolder());
    for (const [name, content] of Object.entries(files)) await workspace.write(name, content);
    return workspace;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  async write(name: string, content: string | Uint8Array): Promise<void> {
    await mkdir(dirname(this.path(name)), { recursive: true });
    await writeFile(this.path(name), content);
  }

  /** Runs a command to its end. */
  async run(args: readonly string[], options?: CliOptions): Promise<Finished> {
    return await runCli(this.folder, args, options);
  }

  /** Starts a command and leaves it running. */
  start(args: readonly string[], options?: CliOptions): Cli {
    const cli = new Cli(this.folder, args, options);
    this.#started.push(cli);
    return cli;
  }

  /** A worker that has taken up its work. */
  async startWorker(...args: string[]): Promise<Cli> {
    const worker = this.start(['worker', ...args]);
    await worker.prints(/worker:started/);
    return worker;
  }

  /** Runs a command with `--json` and reads the one value that it prints. */
  async json<T>(args: readonly string[], code = 0): Promise<T> {
    const finished = await this.run([...args, '--json']);
    expect(finished, finished.stderr).toMatchObject({ code });
    return oneJsonValue<T>(finished.stdout);
  }

  async status(batch: string): Promise<StatusJson> {
    return await this.json<StatusJson>(['status', batch]);
  }

  /** Asks for the status, in this process, until it satisfies `condition`. */
  async statusWhen(batch: string, condition: (status: StatusJson) => boolean): Promise<StatusJson> {
    const { openStatusReader } = (await import(programFiles().statusReader)) as typeof import('./read-status.ts');
    await using reader = await openStatusReader(this.folder);
    for (;;) {
      const status = (await reader.read(batch)) as StatusJson;
      if (condition(status)) return status;
      await delay(50);
    }
  }

  async readRows(name: string): Promise<readonly RowJson[]> {
    const text = await readFile(this.path(name), 'utf8');
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as RowJson);
  }

  async readOutput(folder: string): Promise<Output> {
    const [results, errors, manifest] = await Promise.all([
      this.readRows(`${folder}/results.jsonl`),
      this.readRows(`${folder}/errors.jsonl`),
      readFile(this.path(`${folder}/manifest.json`), 'utf8'),
    ]);
    return { results, errors, manifest: JSON.parse(manifest) as ManifestJson };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#started.map((cli) => cli[Symbol.asyncDispose]()));
    await this.#temporary[Symbol.asyncDispose]();
  }
}

/** Fails unless the text is exactly one JSON value on one line. */
export function oneJsonValue<T>(stdout: string): T {
  expect(stdout).toMatch(/^[^\n]+\n$/);
  return JSON.parse(stdout) as T;
}

/** Sum of the rows' costs in nano-dollars. */
export function costOf(rows: readonly RowJson[]): number {
  return rows.reduce((sum, row) => sum + usdToNano(row.costUsd), 0);
}

/** What must hold for every batch that has ended: each document once, parts that add up, equal books. */
const manifestSchema = z.fromJSONSchema(
  JSON.parse(readFileSync(new URL('../../docs/manifest.schema.json', import.meta.url), 'utf8')),
);

export function expectBalanced({ results, errors, manifest }: Output, ids: readonly string[]): void {
  expect(manifestSchema.safeParse(manifest).error).toBeUndefined();
  const rows = [...results, ...errors];
  expect(rows.map((row) => row.id).sort()).toEqual([...ids].sort());
  const { total, ...parts } = manifest.documents;
  expect(Object.keys(parts)).toEqual(['succeeded', 'failed', 'cancelled', 'expired', 'skipped']);
  expect(total).toBe(ids.length);
  expect(Object.values(parts).reduce((a, b) => a + b, 0)).toBe(total);
  for (const [status, count] of Object.entries(parts)) {
    expect(rows.filter((row) => row.status === status)).toHaveLength(count);
  }
  expect(costOf(rows)).toBe(usdToNano(manifest.costUsd));
  const byModel = manifest.cost.byModel.reduce((sum, { costUsd }) => sum + usdToNano(costUsd), 0);
  expect(byModel).toBe(usdToNano(manifest.costUsd));
  for (const name of ['inputTokens', 'cachedInputTokens', 'outputTokens', 'reasoningTokens']) {
    expect(rows.reduce((sum, row) => sum + (row.usage[name] ?? Number.NaN), 0)).toBe(manifest.usage[name]);
  }
}

export interface TestDocument {
  readonly id: string;
  readonly text: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** Short documents, each with its own text; every other one has metadata. */
export function makeDocuments(count: number): readonly TestDocument[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `doc-${index}`,
    text: `Ticket ${index}: the invoice of order ${index * 7} shows ${index * 13} dollars, and the page fails to open.`,
    ...(index % 2 === 0 ? {} : { metadata: { row: index, from: { city: 'Köln' } } }),
  }));
}

export function toJsonl(documents: readonly object[]): string {
  return documents.map((document) => `${JSON.stringify(document)}\n`).join('');
}

export interface ConfigOptions {
  readonly url: string;
  readonly redis?: string;
  /** More lines at the top level. */
  readonly more?: string;
  /** More fields of the workflow `triage`. */
  readonly workflow?: string;
  readonly cascade?: string;
  readonly concurrency?: number;
  /** Documents in a slice. */
  readonly slice?: number;
  readonly worker?: string;
}

let workspaces = 0;

/** A config with the models of the documented sample and two workflows on them, `triage` and `digest`. */
export function configYaml(options: ConfigOptions): string {
  const { url, redis, more = '', workflow = '', cascade = '[{ model: small }]', concurrency = 8, slice = 8 } = options;
  workspaces += 1;
  return `
${redis === undefined ? '' : `redis: ${redis}\nredisPrefix: test-${process.pid}-${workspaces}`}
providers:
  acme: { kind: openai, baseUrl: "${url}", apiKey: "\${ACME_API_KEY:-none}", limits: { concurrency: ${concurrency} } }
models:
  small: { provider: acme, id: small-2026-01-01, contextTokens: 32768, maxOutputTokens: 1024,
           price: { inputPerMillion: 0.15, cachedInputPerMillion: 0.075, outputPerMillion: 0.60 } }
  large: { provider: acme, id: large-2026-01-01, contextTokens: 128000, maxOutputTokens: 4096,
           price: { inputPerMillion: 2.50, outputPerMillion: 10.00 } }
workflows:
  triage:
    task: classify
    labels: { billing: "Questions about invoices", bug: "Something is broken", other: "Anything else" }
    cascade: ${cascade}
    ${workflow}
  digest:
    task: summarize
    summary: { maxWords: 40 }
    cascade: [{ model: small }]
ingest: { sliceDocuments: ${slice} }
worker: { lockSeconds: 2, ${options.worker ?? 'shutdownGraceSeconds: 5'} }
${more}
`;
}
