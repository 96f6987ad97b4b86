import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MemoryStore } from '../../src/adapters/memory-store/memory-store.ts';
import { parquetTable } from '../../src/adapters/parquet-table/parquet-table.ts';
import { csvTable } from '../../src/results/csv-table.ts';
import { downloadResults } from '../../src/results/download-results.ts';
import type { Cell, TableColumn } from '../../src/results/result-table.ts';
import { type TableFormat, writeTable } from '../../src/results/table-format.ts';
import { storeKeys } from '../../src/store/store-keys.ts';
import { formatRow, type Row } from '../../src/tasks/result-row.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../helpers/temporary-folder.ts';

let folder: TemporaryFolder;
let files = 0;

beforeAll(async () => {
  folder = await makeTemporaryFolder('nightmill-result-tables');
});
afterAll(() => folder[Symbol.asyncDispose]());

const USAGE = { inputTokens: 10, cachedInputTokens: 1, outputTokens: 5, reasoningTokens: 2 };

const results: readonly Row[] = [
  {
    id: '=cmd()',
    status: 'succeeded',
    result: { label: 'bug', confidence: 0.9 },
    model: 'small',
    tier: 0,
    calls: 1,
    usage: USAGE,
    cost: 15,
    durationMs: 12,
    metadata: { note: '"quoted", 1', order: JSON.rawJSON('12345678901234567890') },
    warnings: ['no_body: 1, 2'],
  },
  {
    id: 'b',
    status: 'succeeded',
    result: {
      summary: '-Line one\nLine "two"',
      kind: 'extract',
      sources: [{ sentence: '-Line one', chunks: [{ start: 0, end: 9 }] }],
      partial: { parts: 2, failed: [{ start: 9, end: 12, code: 'timeout' }] },
    },
    model: 'small',
    tier: 1,
    calls: 2,
    usage: USAGE,
    cost: 1_234_567_890_123,
    durationMs: 3,
    prompt: 'summarize-v2@1a2b3c4d',
    degraded: true,
    fallback: true,
  },
];
const errors: readonly Row[] = [
  { id: 'c', status: 'failed', error: { code: 'refused', message: '+no' }, calls: 1, usage: USAGE, cost: 7 },
];

/** A finished batch `b` with these rows. */
async function storeOf(rows: readonly Row[]): Promise<MemoryStore> {
  const store = new MemoryStore();
  const put = async (key: string, part: readonly Row[]) => {
    const bytes = gzipSync(part.map((row) => `${formatRow(row)}\n`).join(''));
    await store.put(key, bytes);
    const sha256 = hash('sha256', bytes);
    return { key, bytes: bytes.length, lines: part.length, sha256 };
  };
  const manifest = { files: [await put(storeKeys.output('b', 0), rows), await put(storeKeys.errors('b', 0), errors)] };
  await store.put(storeKeys.manifest('b'), Buffer.from(JSON.stringify(manifest)));
  return store;
}

const NAMES = 'calls,inputTokens,cachedInputTokens,outputTokens,reasoningTokens,costUsd';

describe('downloadResults() with tables', () => {
  test('writes CSV and Parquet of results and errors beside the verified lines', async () => {
    const output = join(folder.path, 'out');
    const store = await storeOf(results);
    await downloadResults(store, 'b', output, [csvTable, parquetTable]);
    expect((await readdir(output)).sort()).toEqual([
      'errors.csv',
      'errors.jsonl',
      'errors.parquet',
      'manifest.json',
      'results.csv',
      'results.jsonl',
      'results.parquet',
    ]);
    expect(await readFile(join(output, 'results.csv'), 'utf8')).toBe(
      `id,status,label,confidence,summary,model,tier,${NAMES},durationMs,kind,prompt,degraded,fallback,partial,confidences,sources,metadata,warnings\n` +
        `'=cmd(),succeeded,bug,0.9,,small,0,1,10,1,5,2,0.000000015,12,,,false,false,,,,"{""note"":""\\""quoted\\"", 1"",""order"":12345678901234567890}","[""no_body: 1, 2""]"\n` +
        `b,succeeded,,,"'-Line one\nLine ""two""",small,1,2,10,1,5,2,1234.567890123,3,extract,summarize-v2@1a2b3c4d,true,true,` +
        `"{""parts"":2,""failed"":[{""start"":9,""end"":12,""code"":""timeout""}]}",,` +
        `"[{""sentence"":""-Line one"",""chunks"":[{""start"":0,""end"":9}]}]",,\n`,
    );
    expect(await readFile(join(output, 'errors.csv'), 'utf8')).toBe(
      `id,status,errorCode,errorMessage,${NAMES}\nc,failed,refused,'+no,1,10,1,5,2,0.000000007\n`,
    );
    const [first, second] = await readParquet(join(output, 'results.parquet'));
    expect(first).toEqual({
      id: '=cmd()',
      status: 'succeeded',
      label: 'bug',
      confidence: 0.9,
      summary: null,
      model: 'small',
      tier: 0n,
      calls: 1n,
      inputTokens: 10n,
      cachedInputTokens: 1n,
      outputTokens: 5n,
      reasoningTokens: 2n,
      costUsd: 1.5e-8,
      costNanoUsd: 15n,
      durationMs: 12n,
      kind: null,
      prompt: null,
      degraded: false,
      fallback: false,
      partial: null,
      confidences: null,
      sources: null,
      metadata: '{"note":"\\"quoted\\", 1","order":12345678901234567890}',
      warnings: '["no_body: 1, 2"]',
    });
    expect(second).toMatchObject({ summary: '-Line one\nLine "two"', costNanoUsd: 1_234_567_890_123n, metadata: null });
    expect(second).toMatchObject({ kind: 'extract', degraded: true, fallback: true, prompt: 'summarize-v2@1a2b3c4d' });
    expect(JSON.parse(String(second?.sources))).toEqual([{ sentence: '-Line one', chunks: [{ start: 0, end: 9 }] }]);
    expect(JSON.parse(String(second?.partial))).toMatchObject({ parts: 2, failed: [{ code: 'timeout' }] });
    expect(await readParquet(join(output, 'errors.parquet'))).toMatchObject([{ id: 'c', errorCode: 'refused' }]);
  });

  test('writes tables of no rows', async () => {
    const output = join(folder.path, 'none');
    await downloadResults(await storeOf([]), 'b', output, [csvTable, parquetTable]);
    expect(await readFile(join(output, 'results.csv'), 'utf8')).toMatch(/^id,.*,warnings\n$/);
    expect(await readParquet(join(output, 'results.parquet'))).toEqual([]);
  });

  test('writes nothing at all where a table cannot be written', async () => {
    const output = join(folder.path, 'full');
    const failing: TableFormat = {
      ...csvTable,
      // biome-ignore lint/correctness/useYield: it fails before its first piece
      async *pieces() {
        throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
      },
    };
    await expect(downloadResults(await storeOf(results), 'b', output, [failing])).rejects.toMatchObject({
      code: 'store_full',
    });
    expect(await readdir(output)).toEqual([]);
  });

  test.skipIf(!canMount())('leaves nothing on a disk that is full for a table (needs root)', async () => {
    const metadata = { noise: Array.from({ length: 30_000 }, (_, at) => ((at * 7919) % 99_991).toString(36)).join('') };
    const store = await storeOf([{ ...results[0], metadata } as Row]);
    for (const table of [csvTable, parquetTable]) {
      const disk = join(folder.path, `disk-${table.extension}`);
      await mkdir(disk);
      // Room for the lines, and not for the table beside them.
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=160k', 'tmpfs', disk]);
      try {
        await expect(downloadResults(store, 'b', disk, [table])).rejects.toMatchObject({ code: 'store_full' });
        expect(await readdir(disk)).toEqual([]);
        await downloadResults(store, 'b', disk);
        expect(await readdir(disk)).toContain('results.jsonl');
      } finally {
        execFileSync('umount', ['-l', disk]);
      }
    }
  });
});

const COLUMNS: readonly TableColumn[] = [
  { name: 'text', kind: 'text' },
  { name: 'whole', kind: 'integer' },
  { name: 'share', kind: 'double' },
  { name: 'costUsd', kind: 'usd' },
  { name: 'yes', kind: 'boolean' },
];

const cellsOf = fc.tuple(
  fc.option(fc.string({ unit: 'grapheme' }), { nil: undefined }),
  fc.option(fc.maxSafeInteger(), { nil: undefined }),
  fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }), { nil: undefined }),
  fc.nat(),
  fc.option(fc.boolean(), { nil: undefined }),
);

async function* each<T>(items: readonly T[]) {
  yield* items;
}

async function written(table: TableFormat, rows: readonly (readonly Cell[])[]): Promise<string> {
  const path = join(folder.path, `${files++}.${table.extension}`);
  await writeTable(path, table, { columns: COLUMNS, rows: each(rows) });
  return path;
}

describe('tables of any cells', () => {
  test('are read back from CSV as they were, and no cell of text begins like a formula', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(cellsOf, { maxLength: 5 }), async (rows) => {
        const records: string[][] = parse(await readFile(await written(csvTable, rows), 'utf8'), {
          record_delimiter: '\n',
        });
        expect(records.slice(1).map(([text]) => text)).toEqual(
          rows.map(([text = '']) => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text)),
        );
        expect(records.slice(1).map(([, whole, share]) => [whole, share])).toEqual(
          rows.map(([, whole = '', share = '']) => [String(whole), String(share)]),
        );
        for (const [text = ''] of records) expect(text).not.toMatch(/^[=+\-@\t\r]/);
      }),
      { numRuns: 100 },
    );
  });

  test('are read back from Parquet as they were', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(cellsOf, { maxLength: 5 }), async (rows) => {
        const read = await readParquet(await written(parquetTable, rows));
        expect(read).toEqual(
          rows.map(([text, whole, share, cost, yes]) => ({
            text: text ?? null,
            whole: whole === undefined ? null : BigInt(whole),
            share: share ?? null,
            costUsd: cost / 1e9,
            costNanoUsd: BigInt(cost),
            yes: yes ?? null,
          })),
        );
      }),
      { numRuns: 100 },
    );
  });

  test('of many rows are written in several row groups', async () => {
    const rows = Array.from({ length: 25_000 }, (_, at): readonly Cell[] => [
      `row ${at}`,
      at,
      at / 2,
      at,
      at % 2 === 0,
    ]);
    const read = await readParquet(await written(parquetTable, rows));
    expect(read).toHaveLength(25_000);
    expect(read.at(-1)).toMatchObject({ text: 'row 24999', whole: 24_999n });
  });
});

async function readParquet(path: string): Promise<readonly Record<string, unknown>[]> {
  const bytes = await readFile(path);
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  return await parquetReadObjects({ file });
}

/** Only root may mount, and not in every container. */
function canMount(): boolean {
  if (process.getuid?.() !== 0) return false;
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
