import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startTcpRedis } from '../helpers/tcp-redis.ts';
import { makeTemporaryFolder } from '../helpers/temporary-folder.ts';
import { LABELS, MODEL_ID, makeDocument, writeDocuments } from './helpers/documents.ts';
import { type Answers, askFast, poll, quantile, type UploadKind, upload } from './helpers/serve-clients.ts';
import {
  folderBytes,
  peakMb,
  type RunningProcess,
  runProgram,
  startProgram,
  useBuiltProgram,
} from './helpers/serve-process.ts';
import { type InstantProvider, startInstantProvider } from './helpers/start-instant-provider.ts';
import { printSetting, printTable } from './helpers/table.ts';

export const summary =
  'What submit, status and results cost through the API and the command line, and a server under load';
/** Its uploads of 100 MB take half an hour. */
export const inAll = ['--quick', '--mb', '4'];

const DOCUMENT_BYTES = 200;
const MEGABYTE = 1_000_000;
const KEYS = 20;
/** What the server may have resident under this load. */
const MOST_MB = 300;
const WINDOW_MS = 15_000;
/** The provider's limit, so that the worker waits for it and not for a processor. */
const CALLS_A_MINUTE = 3_000;

interface Bench {
  readonly folder: string;
  readonly server: RunningProcess;
  readonly url: string;
  readonly key: string;
}

/** Real processes: one server without a worker, one worker, a Redis, a provider. Linux only. */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      documents: { type: 'string', default: '10000' },
      only: { type: 'string', multiple: true, default: ['cost', 'load'] },
      quick: { type: 'boolean', default: false },
      clients: { type: 'string', default: '200' },
      uploads: { type: 'string', default: '10' },
      mb: { type: 'string' },
      kind: { type: 'string', multiple: true, default: ['file', 'documents'] },
    },
  });
  await using program = await makeTemporaryFolder('bench-program');
  useBuiltProgram(program.path);
  const bytes = (quick: number, full: number) => Number(values.mb ?? (values.quick ? quick : full)) * MEGABYTE;
  printSetting(
    'Serve: a server without a worker beside a worker process, file store, Redis without a file. Linux only.',
  );
  for (const part of values.only) {
    if (part === 'cost') await compareCost(values.quick ? 1_000 : Number(values.documents), values.quick ? 1 : 3);
    else if (part === 'load') {
      const [clients, uploads] = [Number(values.clients), Number(values.uploads)];
      await showLoad({ clients, uploads, bytes: bytes(10, 100), kinds: values.kind as UploadKind[] });
    } else if (part === 'large') await showLarge(bytes(200, 2_000), values.kind as UploadKind[]);
    else throw new Error(`There is no part ${part}: cost, load, large`);
  }
}

async function open(stack: AsyncDisposableStack, provider: InstantProvider, limits: object): Promise<Bench> {
  const folder = stack.use(await makeTemporaryFolder('bench-serve')).path;
  const redis = stack.use(await startTcpRedis());
  const config = {
    redis: redis.url,
    providers: { provider: { kind: 'openai', baseUrl: provider.url, limits } },
    models: { small: { provider: 'provider', id: MODEL_ID, price: { inputPerMillion: 0.15, outputPerMillion: 0.6 } } },
    workflows: Object.fromEntries(
      ['triage', 'shelf'].map((name) => [
        name,
        { task: 'classify', labels: LABELS, cascade: [{ model: 'small' }], budget: { day: 100_000 } },
      ]),
    ),
  };
  await writeFile(join(folder, 'nightmill.yaml'), JSON.stringify(config));
  const server = stack.use(
    await startProgram(folder, ['serve', '--port', '0', '--no-worker'], /serving on (http[^\s,"]+)/),
  );
  const url = server.said[1] ?? '';
  return { folder, server, url, key: await makeKey(url, 'bench') };
}

async function makeKey(url: string, name: string): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ name, rights: 'operate' });
  const { secret } = (await (await fetch(`${url}/api/v1/keys`, { method: 'POST', headers, body })).json()) as {
    secret?: string;
  };
  if (secret === undefined) throw new Error('No key was made');
  return secret;
}

async function statusOf({ url, key }: Bench, id: string): Promise<{ state: string; documents: { succeeded: number } }> {
  const response = await fetch(`${url}/api/v1/batches/${id}`, { headers: { authorization: `Bearer ${key}` } });
  return (await response.json()) as { state: string; documents: { succeeded: number } };
}

async function compareCost(documents: number, rounds: number): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const provider = stack.use(await startInstantProvider(0));
  const bench = await open(stack, provider, { concurrency: 64 });
  const { folder, server, url, key } = bench;
  await writeDocuments(
    join(folder, 'documents.jsonl'),
    Array.from({ length: documents }, (_, at) => makeDocument(at, DOCUMENT_BYTES)),
  );
  await writeDocuments(
    join(folder, 'few.jsonl'),
    Array.from({ length: 10 }, (_, at) => makeDocument(at, DOCUMENT_BYTES)),
  );
  const rows = [['request', 'API: CPU ms', 'requests/s', 'command: CPU ms', 'runs/s', 'command / API']];
  const add = (what: string, api: Cost, cli: Cost) => {
    rows.push([
      what,
      api.cpuMs.toFixed(2),
      api.perSecond.toFixed(1),
      cli.cpuMs.toFixed(0),
      cli.perSecond.toFixed(2),
      `${(cli.cpuMs / api.cpuMs).toFixed(1)} x`,
    ]);
  };
  const through = async (times: number, work: (index: number) => Promise<void>) =>
    await costOf(times, server.cpuMs, work);
  for (const [file, count, what] of [
    ['few.jsonl', 10 * rounds, 'submit 10 documents'],
    ['documents.jsonl', rounds, `submit ${documents.toLocaleString('en')} documents`],
  ] as const) {
    const body = await readFile(join(folder, file));
    const submit = async (id: string) => {
      const response = await fetch(`${url}/api/v1/batches?workflow=triage&id=${id}`, {
        method: 'POST',
        body,
        headers: { authorization: `Bearer ${key}` },
      });
      if (response.status !== 201) throw new Error(`submit: ${response.status} ${await response.text()}`);
      await response.arrayBuffer();
    };
    await submit(`warm-${count}`);
    const api = await through(count, async (index) => await submit(`a-${file}-${index}`));
    const cli = await commands(folder, rounds, (index) => [
      'submit',
      file,
      '-w',
      'triage',
      '--id',
      `c-${file}-${index}`,
    ]);
    add(what, api, cli);
  }
  stack.use(await startProgram(folder, ['worker'], /worker:started/));
  const batch = 'a-documents.jsonl-0';
  while ((await statusOf(bench, batch)).state !== 'completed') await delay(200);
  for (const id of ['warm-1', 'a-documents.jsonl-1', 'a-documents.jsonl-2'])
    await fetch(`${url}/api/v1/batches/${id}/cancel`, { method: 'POST', headers: { authorization: `Bearer ${key}` } });
  const asked = async (path: string, clients: number, times: number) => {
    const [before, from] = [server.cpuMs(), performance.now()];
    const { tookMs, lost } = await askFast(url, { path, key, clients, times });
    if (lost.length > 0) throw new Error(`${lost.length} lost: ${lost[0]}`);
    return {
      cpuMs: (server.cpuMs() - before) / times,
      perSecond: (tookMs.length / (performance.now() - from)) * 1_000,
    };
  };
  await asked(`/api/v1/batches/${batch}`, 4, 100);
  add(
    'status',
    await asked(`/api/v1/batches/${batch}`, 4, 180),
    await commands(folder, rounds, () => ['status', batch, '--json']),
  );
  add(
    `results of ${documents.toLocaleString('en')} documents`,
    await asked(`/api/v1/batches/${batch}/results`, 1, rounds * 3),
    await commands(folder, rounds, (index) => ['results', batch, '-o', `out-${index}`]),
  );
  printTable({
    caption: 'The same through the API and the command line',
    rows,
    note: `CPU of the server, of the command's process with its start; a key's 200 requests per second bound "status"`,
  });
}

interface Cost {
  readonly cpuMs: number;
  readonly perSecond: number;
}

async function costOf(times: number, cpuMs: () => number, work: (index: number) => Promise<void>): Promise<Cost> {
  const [before, from] = [cpuMs(), performance.now()];
  for (let index = 0; index < times; index += 1) await work(index);
  return { cpuMs: (cpuMs() - before) / times, perSecond: (times / (performance.now() - from)) * 1_000 };
}

async function commands(folder: string, times: number, args: (index: number) => readonly string[]): Promise<Cost> {
  // The first start compiles.
  await runProgram(folder, ['status']);
  const runs: Awaited<ReturnType<typeof runProgram>>[] = [];
  for (let index = 0; index < times; index += 1) runs.push(await runProgram(folder, args(index)));
  const sum = (of: 'cpuMs' | 'wallMs') => runs.reduce((total, each) => total + each[of], 0);
  return { cpuMs: sum('cpuMs') / times, perSecond: (times / sum('wallMs')) * 1_000 };
}

interface Load {
  /** Each looks once a second. */
  readonly clients: number;
  /** At once. */
  readonly uploads: number;
  readonly bytes: number;
  readonly kinds: readonly UploadKind[];
}

/** A worker at its provider's limit; its rate alone, beside polls, beside polls and uploads, and alone again. */
async function showLoad({ clients, uploads, bytes, kinds }: Load): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const provider = stack.use(await startInstantProvider(100));
  const bench = await open(stack, provider, { concurrency: 64, requestsPerMinute: CALLS_A_MINUTE });
  const { folder, server, url, key } = bench;
  const keys = await Promise.all(Array.from({ length: KEYS }, (_, index) => makeKey(url, `poller-${index}`)));
  await writeDocuments(
    join(folder, 'documents.jsonl'),
    Array.from({ length: 120_000 }, (_, at) => makeDocument(at, DOCUMENT_BYTES)),
  );
  await runProgram(folder, ['submit', 'documents.jsonl', '-w', 'triage', '--id', 'night']);
  stack.use(await startProgram(folder, ['worker', '-w', 'triage'], /worker:started/));
  while ((await provider.counts()).requests < CALLS_A_MINUTE / 12) await delay(200);
  const window = async (
    during: (signal: AbortSignal) => Promise<Answers | undefined>,
    least: () => Promise<unknown>,
  ) => {
    const end = new AbortController();
    const [before, from, cpu] = [(await provider.counts()).requests, performance.now(), server.cpuMs()];
    const answers = during(end.signal);
    await least();
    const seconds = (performance.now() - from) / 1_000;
    const rate = ((await provider.counts()).requests - before) / seconds;
    const load = (server.cpuMs() - cpu) / seconds / 10;
    end.abort();
    return { rate, seconds, load, answers: await answers };
  };
  const quiet = async () => undefined;
  const polling = (signal: AbortSignal) => poll(url, { path: '/api/v1/batches/night', keys, clients, signal });
  const rows = [
    [
      'beside the worker',
      's',
      'calls/s of the worker',
      'polls',
      'lost',
      'p50 ms',
      'p99 ms',
      'server CPU %',
      'server MB, most so far',
    ],
  ];
  const add = (
    what: string,
    { rate, seconds, load, answers }: Awaited<ReturnType<typeof window>>,
    lost: readonly string[] = [],
  ) => {
    const took = answers?.tookMs ?? [];
    const missed = [...(answers?.lost ?? []), ...lost];
    if (missed.length > 0) console.log(`lost: ${[...new Set(missed)].join(', ')}`);
    if (missed.length > 0 || peakMb(server) > MOST_MB) process.exitCode = 1;
    rows.push([
      what,
      seconds.toFixed(0),
      rate.toFixed(1),
      took.length === 0 ? '–' : took.length.toLocaleString('en'),
      String(missed.length),
      ...(took.length === 0 ? ['–', '–'] : [quantile(took, 0.5).toFixed(0), quantile(took, 0.99).toFixed(0)]),
      load.toFixed(0),
      String(peakMb(server)),
    ]);
  };
  const rest = async () => await delay(WINDOW_MS);
  add('nothing', await window(quiet, rest));
  add(`${clients} clients that look once a second`, await window(polling, rest));
  for (const kind of kinds) {
    const lost: string[] = [];
    const send = async () => await uploadAll(bench, key, { kind, bytes, uploads }, lost);
    const name = `these, and ${uploads} uploads of ${Math.round(bytes / MEGABYTE)} MB (${kind === 'file' ? '/v1/files' : '/api/v1/batches'})`;
    add(name, await window(polling, send), lost);
  }
  add('nothing, again', await window(quiet, rest));
  printTable({
    caption: 'A server under load beside a worker',
    rows,
    note: `the provider's limit is ${CALLS_A_MINUTE / 60} calls per second; left in the folder of temporary files: ${folderBytes(join(folder, '.nightmill/tmp'))} bytes`,
  });
}

async function uploadAll(
  { url }: Bench,
  key: string,
  { kind, bytes, uploads }: Pick<Load, 'bytes' | 'uploads'> & { readonly kind: UploadKind },
  lost: string[],
): Promise<void> {
  await Promise.all(
    Array.from({ length: uploads }, async (_, number) => {
      const status = await upload(url, { kind, bytes, number, key, query: `workflow=shelf&id=shelf-${number}` }).catch(
        (error: Error) => error.message,
      );
      if (status !== 200 && status !== 201) lost.push(String(status));
    }),
  );
}

/** One upload that is larger than any memory it may take. */
async function showLarge(bytes: number, kinds: readonly UploadKind[]): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const provider = stack.use(await startInstantProvider(0));
  const bench = await open(stack, provider, { concurrency: 64 });
  const { folder, server, url, key } = bench;
  const rows = [
    ['one upload', 'MB', 'status', 's', 'server CPU s', 'server MB, most so far', 'temporary MB, most', 'left after'],
  ];
  for (const kind of kinds) {
    const temporary = join(folder, '.nightmill/tmp');
    let most = 0;
    const timer = setInterval(() => {
      most = Math.max(most, folderBytes(temporary));
    }, 100);
    const [before, from] = [server.cpuMs(), performance.now()];
    const status = await upload(url, { kind, bytes, number: 1, key, query: 'workflow=shelf&id=large' });
    clearInterval(timer);
    rows.push([
      kind === 'file' ? '/v1/files' : '/api/v1/batches',
      String(bytes / MEGABYTE),
      String(status),
      ((performance.now() - from) / 1_000).toFixed(0),
      ((server.cpuMs() - before) / 1_000).toFixed(0),
      String(peakMb(server)),
      String(Math.round(most / MEGABYTE)),
      String(folderBytes(temporary)),
    ]);
  }
  printTable({ caption: 'One upload that is larger than any memory it may take', rows });
}
