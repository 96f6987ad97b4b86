import Bottleneck from 'bottleneck';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import OpenAI from 'openai';
import pLimit from 'p-limit';
import { Pool } from 'undici';
import { chatOpenAi } from '../peers/langchain.ts';
import { type ChatBody, MODEL_ID } from './documents.ts';

/**
 * What the program is compared with. `sdk`: p-limit and the openai package. `langchain`: `ChatOpenAI.batch`, a package that
 * `install-peers.ts` installs. `undici`: `Pool.request` in as many loops as calls in flight. `bottleneck`: the same request,
 * each scheduled through a limiter that stands in Redis. `bullmq`: the same request in a BullMQ worker, one job a document; the jobs
 * stand in the queue before the clock starts.
 */
export type ScriptClient = 'sdk' | 'langchain' | 'undici' | 'bottleneck' | 'bullmq';

export interface CallerTask {
  /** Up to and including the version. */
  readonly url: string;
  readonly inFlight: number;
  /** For the clients that need one. */
  readonly redisSocket?: string;
}

/** Makes all ready; what it returns makes the calls and resolves with the labels. */
type Prepare = (bodies: readonly ChatBody[]) => Promise<() => Promise<readonly string[]>>;

export const CALLERS: Readonly<Record<ScriptClient, (task: CallerTask) => Promise<Prepare>>> = {
  sdk: async (task) => sdkCaller(task),
  langchain: langChainCaller,
  undici: async (task) => undiciCaller(task),
  bottleneck: bottleneckCaller,
  bullmq: async (task) => bullCaller(task),
};

/** No call ever waits for it, and every call is counted against it. */
const BOUNDLESS = 1_000_000_000;

function labelOf(content: string | null | undefined): string {
  return (JSON.parse(content ?? '') as { label: string }).label;
}

function sdkCaller({ url, inFlight }: CallerTask): Prepare {
  const client = new OpenAI({ apiKey: 'none', baseURL: url, maxRetries: 0 });
  const limit = pLimit(inFlight);
  const call = async (body: ChatBody) => {
    const completion = await client.chat.completions.create({ ...body, messages: [...body.messages] });
    return labelOf(completion.choices[0]?.message.content);
  };
  return async (bodies) => async () => await Promise.all(bodies.map((body) => limit(call, body)));
}

/** As it comes; its retries are never needed here. */
async function langChainCaller({ url, inFlight }: CallerTask): Promise<Prepare> {
  return async (bodies) => {
    const [first] = bodies;
    if (first === undefined) throw new RangeError('There is nothing to call for');
    // The same in every body, so that they belong to the model.
    const { max_tokens: maxTokens, response_format } = first;
    const options = { model: MODEL_ID, apiKey: 'none', maxTokens, configuration: { baseURL: url } };
    const model = (await chatOpenAi(options)).withConfig({ response_format });
    const prompts = bodies.map(({ messages }) => messages);
    return async () => {
      const replies = await model.batch(prompts, { maxConcurrency: inFlight });
      return replies.map(({ content }) => labelOf(String(content)));
    };
  };
}

function undiciCall({ url, inFlight }: CallerTask): (chat: ChatBody) => Promise<string> {
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

function undiciCaller(task: CallerTask): Prepare {
  const ask = undiciCall(task);
  return async (bodies) => async () => await inLoops(bodies, task.inFlight, ask);
}

async function inLoops<T>(given: readonly T[], loops: number, ask: (one: T) => Promise<string>): Promise<string[]> {
  const found: string[] = [];
  const left = given.values();
  const loop = async () => {
    for (const one of left) found.push(await ask(one));
  };
  await Promise.all(Array.from({ length: loops }, loop));
  return found;
}

async function bottleneckCaller(task: CallerTask): Promise<Prepare> {
  const { inFlight, redisSocket = '' } = task;
  const ask = undiciCall(task);
  const connection = new Bottleneck.IORedisConnection({ client: new Redis({ path: redisSocket }) });
  const limiter = new Bottleneck({
    id: 'overhead',
    datastore: 'ioredis',
    connection,
    maxConcurrent: inFlight,
    reservoir: BOUNDLESS,
  });
  limiter.on('error', (error) => {
    console.error(error);
    process.exit(1);
  });
  await limiter.ready();
  // As many as may run: what waits in the limiter makes it dearer.
  return async (bodies) => async () =>
    await inLoops(bodies, inFlight, async (body) => await limiter.schedule(() => ask(body)));
}

function bullCaller(task: CallerTask): Prepare {
  const connection = { path: task.redisSocket ?? '', maxRetriesPerRequest: null };
  const queue = new Queue<ChatBody>('documents', { connection });
  const ask = undiciCall(task);
  const found: string[] = [];
  let ended = () => {};
  let left = 0;
  const worker = new Worker<ChatBody, string>('documents', async ({ data }) => await ask(data), {
    connection,
    concurrency: task.inFlight,
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
