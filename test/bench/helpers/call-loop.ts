import { readFile } from 'node:fs/promises';
import { Queue, Worker } from 'bullmq';
import OpenAI from 'openai';
import pLimit from 'p-limit';
import { Pool } from 'undici';
import { takeTask } from './child-task.ts';
import { type BenchDocument, type ChatBody, chatBody } from './documents.ts';

/** What one bare script does; it reads its documents and writes its prompts before the clock starts. */
export interface CallLoopTask {
  /**
   * `sdk`: p-limit and the openai package. `undici`: `Pool.request` in as many loops as calls in flight. `bullmq`: the same request
   * in a BullMQ worker, one job a document; the jobs stand in the queue before the clock starts.
   */
  readonly client: 'sdk' | 'undici' | 'bullmq';
  /** For `bullmq`. */
  readonly redisSocket?: string;
  /** Up to and including the version. */
  readonly url: string;
  /** JSON Lines of documents; the first `warmUp` of them are not measured. */
  readonly file: string;
  readonly warmUp: number;
  readonly inFlight: number;
}

export interface CallLoopResult {
  readonly calls: number;
  readonly cpuMs: number;
  readonly wallMs: number;
}

type CallAll = (bodies: readonly ChatBody[]) => Promise<readonly string[]>;
/** Makes all ready; what it returns calls. */
type Prepare = (bodies: readonly ChatBody[]) => Promise<() => Promise<readonly string[]>>;

let call: () => Promise<readonly string[]> = async () => [];

await takeTask<CallLoopTask>(async (task) => {
  const lines = (await readFile(task.file, 'utf8')).trimEnd().split('\n');
  const all = lines.map((line) => chatBody((JSON.parse(line) as BenchDocument).text));
  const prepare = preparerOf(task);
  const warmUp = await prepare(all.slice(0, task.warmUp));
  await warmUp();
  call = await prepare(all.slice(task.warmUp));
});
const cpu = process.cpuUsage();
const startedAt = performance.now();
const labels = await call();
const wallMs = performance.now() - startedAt;
const { user, system } = process.cpuUsage(cpu);
if (labels.some((label) => label !== 'bug')) throw new Error('A reply had another label');
const result: CallLoopResult = { calls: labels.length, cpuMs: (user + system) / 1_000, wallMs };
process.send?.(result, () => process.exit());

function preparerOf(task: CallLoopTask): Prepare {
  if (task.client === 'bullmq') return bullCaller(task);
  const callAll = task.client === 'sdk' ? sdkCaller(task) : undiciCaller(task);
  return async (bodies) => () => callAll(bodies);
}

function bullCaller({ url, inFlight, redisSocket = '' }: CallLoopTask): Prepare {
  const connection = { path: redisSocket, maxRetriesPerRequest: null };
  const queue = new Queue<ChatBody>('documents', { connection });
  const ask = undiciCall(url, inFlight);
  const found: string[] = [];
  let ended = () => {};
  let left = 0;
  const worker = new Worker<ChatBody, string>('documents', async ({ data }) => await ask(data), {
    connection,
    concurrency: inFlight,
    autorun: false,
  });
  worker.on('completed', (_, label) => {
    found.push(label);
    left -= 1;
    if (left === 0) ended();
  });
  return async (bodies) => {
    await worker.waitUntilReady();
    await worker.pause();
    left = bodies.length;
    found.length = 0;
    await queue.addBulk(bodies.map((data) => ({ name: 'document', data, opts: { removeOnComplete: true } })));
    return async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      ended = resolve;
      worker.resume();
      if (!worker.isRunning()) void worker.run();
      await promise;
      return [...found];
    };
  };
}

function labelOf(content: string | null | undefined): string {
  return (JSON.parse(content ?? '') as { label: string }).label;
}

function sdkCaller({ url, inFlight }: CallLoopTask): CallAll {
  const client = new OpenAI({ apiKey: 'none', baseURL: url, maxRetries: 0 });
  const limit = pLimit(inFlight);
  const call = async (body: ChatBody) => {
    const completion = await client.chat.completions.create({ ...body, messages: [...body.messages] });
    return labelOf(completion.choices[0]?.message.content);
  };
  return async (given) => await Promise.all(given.map((body) => limit(call, body)));
}

function undiciCall(url: string, inFlight: number): (chat: ChatBody) => Promise<string> {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: inFlight });
  const headers = { 'content-type': 'application/json', authorization: 'Bearer none' };
  return async (chat) => {
    const { statusCode, body } = await pool.request({
      path: `${pathname}/chat/completions`,
      method: 'POST',
      headers,
      body: JSON.stringify(chat),
    });
    const reply = JSON.parse(await body.text()) as { choices: { message: { content: string } }[] };
    if (statusCode !== 200) throw new Error(`The provider answered ${statusCode}`);
    return labelOf(reply.choices[0]?.message.content);
  };
}

function undiciCaller({ url, inFlight }: CallLoopTask): CallAll {
  const ask = undiciCall(url, inFlight);
  return async (given) => {
    const found: string[] = [];
    const left = given.values();
    const loop = async () => {
      for (const body of left) found.push(await ask(body));
    };
    await Promise.all(Array.from({ length: inFlight }, loop));
    return found;
  };
}
