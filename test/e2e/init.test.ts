import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { expect, test } from 'vitest';
import { lookAround, proposeFor } from '../../src/setup/look-around.ts';
import { Workspace } from '../helpers/workspace.ts';

const TICKETS = Array.from({ length: 40 }, (_, n) =>
  JSON.stringify({
    nr: `T${n}`,
    message: `The ${n % 2 ? 'invoice is wrong' : 'page does not open'}, write to me at jane${n}@example.com (${n}).`,
    category: n % 2 ? 'billing' : 'bug',
  }),
).join('\n');

test('init writes a config that runs at once without a key, and overwrites nothing', async () => {
  await using space = await Workspace.make({ 'tickets.jsonl': TICKETS });
  const made = await space.run(['init', '--from', 'tickets.jsonl']);
  expect(made).toMatchObject({ code: 0, stderr: '' });
  expect(made.stdout).toContain('labels     billing, bug (column category)');
  const run = await space.run(['run', 'tickets.jsonl', '-w', 'classify', '-o', 'out']);
  expect(run.code).toBe(0);
  const rows = (await readFile(space.path('out/results.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((line: string) => JSON.parse(line));
  expect(rows).toHaveLength(40);
  expect(rows[0]).toMatchObject({ id: 'T0', metadata: { category: 'bug' } });
  const asFolder = await space.run(['init', 'tickets.jsonl']);
  expect(asFolder).toMatchObject({ code: 2, stderr: expect.stringContaining('nightmill init --from tickets.jsonl') });
  const again = await space.run(['init']);
  expect(again).toMatchObject({ code: 2, stdout: '' });
  expect(again.stderr).toContain('nightmill.yaml is there already and is not overwritten');
}, 180_000);

test('init names keys and prints none, says what the file would cost, and what no model here can do', async () => {
  await using space = await Workspace.make({ 'tickets.jsonl': TICKETS });
  const env = { OPENAI_API_KEY: 'sk-very-secret', OPENROUTER_API_KEY: 'sk-other-secret' };
  const made = await space.run(['init', 'here', '--from', 'tickets.jsonl', '--task', 'summarize', '--json'], { env });
  const answer = JSON.parse(made.stdout);
  expect(answer).toMatchObject({
    task: 'summarize',
    cascade: ['small', 'large'],
    found: { keys: ['OPENAI_API_KEY', 'OPENROUTER_API_KEY'] },
    cost: { documents: 40 },
  });
  const written = await readFile(space.path('here/nightmill.yaml'), 'utf8');
  expect(made.stdout + made.stderr + written).not.toContain('secret');
  expect(written).toContain('redact: true');
  const extract = await space.run(['init', 'there', '--task', 'extract']);
  expect(extract).toMatchObject({ code: 2, stdout: '' });
  expect(extract.stderr).toContain('No model here can extract: set a key');
}, 180_000);

test('the columns of a Parquet file are proposed as those of a table', async () => {
  await using space = await Workspace.make();
  const numbers = Array.from({ length: 40 }, (_, n) => n);
  const columnData = [
    { name: 'doc_id', data: numbers.map(BigInt), type: 'INT64' as const },
    { name: 'category', data: numbers.map((n) => (n % 2 ? 'billing' : 'bug')), type: 'STRING' as const },
    { name: 'letter', data: numbers.map((n) => `The invoice ${n} is wrong.`), type: 'STRING' as const },
  ];
  await writeFile(space.path('t.parquet'), Buffer.from(parquetWriteBuffer({ columnData })));
  expect(await proposeFor(space.path('t.parquet'), space.folder)).toMatchObject({
    text: 'letter',
    id: 'doc_id',
    labels: { column: 'category', values: ['billing', 'bug'] },
  });
  await writeFile(space.path('bad.parquet'), 'no table');
  await expect(proposeFor(space.path('bad.parquet'), space.folder)).rejects.toThrow(/Cannot read .* as Parquet/);
});

test('a server that lists a model which answers is found with its window, one without a model is named, and one that speaks of other things is not', async () => {
  const server = createServer((request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const list = [{ id: 'nomic-embed-text:latest' }, { id: 'qwen2.5:7b', max_model_len: 16_384 }];
    if (request.url?.startsWith('/llm/')) response.end(JSON.stringify({ data: list }));
    else response.end(request.url?.startsWith('/idle/') ? '{"object":"list","data":[]}' : '<html>hello</html>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const servers = ['web', 'llm', 'idle'].map((name) => ({ name, baseUrl: `${at}/${name}/v1` }));
  const found = await lookAround({}, [...servers, { name: 'none', baseUrl: 'http://127.0.0.1:9/v1' }]);
  expect(found).toEqual({
    clouds: [],
    byHand: [],
    server: { ...servers[1], modelId: 'qwen2.5:7b', contextTokens: 16_384 },
    empty: [servers[2]],
  });
  server.close();
});
