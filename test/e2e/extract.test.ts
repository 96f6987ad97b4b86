import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExtractedFields } from '../../src/tasks/result-row.ts';
import { type SimulatorProcess, startSimulatorProcess } from '../helpers/simulator-process.ts';
import { startTcpRedis, type TcpRedis } from '../helpers/tcp-redis.ts';
import { expectBalanced, type RowJson, toJsonl, Workspace } from '../helpers/workspace.ts';

let simulator: SimulatorProcess;
let redis: TcpRedis;
let configs = 0;

beforeAll(async () => {
  [simulator, redis] = await Promise.all([startSimulatorProcess({ seed: 7 }), startTcpRedis()]);
});
afterAll(async () => {
  await redis[Symbol.asyncDispose]();
  await simulator[Symbol.asyncDispose]();
});

const SCHEMA = {
  type: 'object',
  properties: {
    vendor: { type: 'string' },
    total: { type: 'number', minimum: 0 },
    date: { type: 'string', format: 'date' },
    currency: { type: 'string', enum: ['EUR', 'USD'] },
    status: { type: ['string', 'null'] },
    lines: {
      type: 'array',
      items: {
        type: 'object',
        properties: { item: { type: 'string' }, count: { type: 'integer' } },
        required: ['item'],
      },
    },
  },
  required: ['vendor', 'total', 'lines'],
};

const config = (more = '', provider = ''): string => `
redis: ${redis.url}
redisPrefix: extract-${configs++}
providers: { acme: { kind: openai, baseUrl: "${simulator.url}", ${provider} limits: { concurrency: 8 } } }
models:
  small: { provider: acme, id: small-2026-01-01, contextTokens: 32768, maxOutputTokens: 1024,
           price: { inputPerMillion: 0.15, outputPerMillion: 0.60 } }
workflows:
  invoices:
    task: extract
    extract: { schema: invoice.json, mustOccur: [vendor, total, lines.item] ${more} }
    parts: { maxTokens: 512 }
    cascade: [{ model: small }]
    budget: { batch: 1.00 }
`;

const SHORT =
  'Vendor: Acme Bolts\nDate: 2026-05-04\nCurrency: EUR\nItem: Hex bolt\nCount: 3\nItem: Washer\nCount: 10\nTotal: 1,234.50\n';

/** Pages of a statement: each names the vendor, one of them wrongly, and its own items. */
const PAGES = Array.from({ length: 12 }, (_, page) => {
  const filler = `On page ${page} the goods are described at length, with no value that anybody asks for. `.repeat(20);
  const vendor = page === 3 ? 'Acne Bolts' : 'Acme Bolts';
  const total = page === 11 ? 'Total: 980\n' : '';
  return `Vendor: ${vendor}\n${filler}\nItem: Part ${page}\nCount: ${page + 1}\n${total}\n`;
});
const LONG = PAGES.join('\n');

const fieldsOf = (row: RowJson | undefined): ExtractedFields => row?.result as unknown as ExtractedFields;

async function makeWorkspace(more?: string, provider?: string, documents?: readonly object[]): Promise<Workspace> {
  return await Workspace.make({
    'nightmill.yaml': config(more, provider),
    'invoice.json': JSON.stringify(SCHEMA),
    'docs.jsonl': toJsonl(
      (documents ?? [
        { id: 'short', text: SHORT },
        { id: 'long', text: LONG },
      ]) as never,
    ),
  });
}

describe('nightmill run of an extract workflow', () => {
  it('reads short and long documents, with a column for each field, and its books balance', async () => {
    await using workspace = await makeWorkspace();
    const finished = await workspace.run([
      'run',
      'docs.jsonl',
      '-w',
      'invoices',
      '-o',
      'out',
      '--format',
      'csv,parquet',
    ]);
    expect(finished, finished.stderr).toMatchObject({ code: 0 });
    const output = await workspace.readOutput('out');
    expectBalanced(output, ['short', 'long']);
    const [short, long] = output.results;
    expect(fieldsOf(short).fields).toEqual({
      vendor: 'Acme Bolts',
      total: 1234.5,
      date: '2026-05-04',
      currency: 'EUR',
      status: null,
      lines: [
        { item: 'Hex bolt', count: 3 },
        { item: 'Washer', count: 10 },
      ],
    });
    for (const [path, text] of [
      ['lines[1].item', 'Washer'],
      ['total', '1,234.50'],
    ] as const) {
      const [place] = fieldsOf(short).sources?.[path] ?? [];
      expect(SHORT.slice(place?.start, place?.end)).toBe(text);
    }

    const { fields, sources } = fieldsOf(long);
    expect(long?.calls).toBeGreaterThan(3);
    expect(fields).toMatchObject({ vendor: 'Acme Bolts', total: 980 });
    expect(fields.lines).toEqual(PAGES.map((_, page) => ({ item: `Part ${page}`, count: page + 1 })));
    const vendorPlaces = sources?.vendor ?? [];
    expect(vendorPlaces.length).toBeGreaterThan(1);
    for (const { start, end } of vendorPlaces) expect(LONG.slice(start, end)).toBe('Acme Bolts');
    const [item] = sources?.['lines[11].item'] ?? [];
    expect(LONG.slice(item?.start, item?.end)).toBe('Part 11');

    const [row]: Record<string, string>[] = parse(await readFile(workspace.path('out/results.csv')), { columns: true });
    expect(row).toMatchObject({ vendor: 'Acme Bolts', total: '1234.5', status: 'succeeded', 'fields.status': '' });
    expect(JSON.parse(row?.lines ?? '')).toHaveLength(2);
    const bytes = await readFile(workspace.path('out/results.parquet'));
    const [first] = await parquetReadObjects({ file: new Uint8Array(bytes).buffer });
    expect(first).toMatchObject({ vendor: 'Acme Bolts', total: 1234.5, date: '2026-05-04', 'fields.status': null });
  });

  it('gives each field a confidence where the provider has log-probabilities', async () => {
    await using workspace = await makeWorkspace('', 'logprobs: true,', [{ id: 'short', text: SHORT }]);
    const finished = await workspace.run(['run', 'docs.jsonl', '-w', 'invoices', '-o', 'out']);
    expect(finished, finished.stderr).toMatchObject({ code: 0 });
    const { confidence, confidences = {} } = fieldsOf((await workspace.readOutput('out')).results[0]);
    expect(Object.keys(confidences)).toEqual(Object.keys(SCHEMA.properties));
    expect(confidence).toBe(Math.min(...Object.values(confidences)));
  });

  it('fails a document whose values do not occur after a repair turn where a doubt fails, and plans what the calls cost', async () => {
    await using workspace = await makeWorkspace(', onFail: fail', '', [
      { id: 'none', text: 'Nothing of it.' },
      { id: 'long', text: LONG },
    ]);
    const plan = await workspace.json<{ calls: { low: number } }>(['plan', 'docs.jsonl', '-w', 'invoices']);
    const finished = await workspace.run(['run', 'docs.jsonl', '-w', 'invoices', '-o', 'out']);
    expect(finished, finished.stderr).toMatchObject({ code: 4 });
    const { errors, results } = await workspace.readOutput('out');
    expect(errors[0]).toMatchObject({ id: 'none', error: { code: 'value_not_found' }, calls: 2 });
    expect(plan.calls.low).toBe(1 + (results[0]?.calls ?? 0));
  });

  it('names every problem of its settings', async () => {
    await using workspace = await makeWorkspace(', onFail: never');
    await workspace.write('invoice.json', '{"type": "object", "properties": {"a": {"type": "money"}}}');
    const wrong = await workspace.run(['run', 'docs.jsonl', '-w', 'invoices', '-o', 'out']);
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('onFail') });
    const yaml = config(', mustOccur: [b]')
      .replace('mustOccur: [vendor, total, lines.item]', '')
      .replace('{ model: small }', '{ model: local }');
    await workspace.write('nightmill.yaml', yaml.replace(' ,', ' '));
    const local = await workspace.run(['run', 'docs.jsonl', '-w', 'invoices', '-o', 'out']);
    expect(local.code).toBe(2);
    expect(local.stderr).toContain(
      'workflows.invoices.cascade.0.model: the local model has no answer for task extract',
    );
    expect(local.stderr).toContain('workflows.invoices.extract.schema.properties.a.type');
  });
});
