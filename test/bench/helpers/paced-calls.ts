import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import Bottleneck from 'bottleneck';
import { Redis } from 'ioredis';
import pLimit from 'p-limit';
import { Pool } from 'undici';
import { takeTask } from './child-task.ts';
import { type BenchDocument, type ChatBody, chatBody, tokensOf } from './documents.ts';

/** What one process of a script under a quota does, until it is ended. */
export interface PacedCallsTask {
  /** `bottleneck`: one limiter for all processes, in Redis. `loop`: p-limit, and 429 is tried again when it says. */
  readonly pace: 'bottleneck' | 'loop';
  /** Up to and including the version. */
  readonly url: string;
  readonly file: string;
  /** Which share of the documents is this process's: every `processes`-th, from `process` on. */
  readonly process: number;
  readonly processes: number;
  /** Calls at the same time in this process; with a limiter, waiting ones included. */
  readonly inFlight: number;
  readonly redisSocket: string;
  readonly requestsPerMinute: number;
  readonly tokensPerMinute: number;
}

const MINUTE_MS = 60_000;

let bodies: readonly ChatBody[] = [];
let call: (body: ChatBody) => Promise<void> = async () => {};

const { inFlight } = await takeTask<PacedCallsTask>(async (task) => {
  const lines = (await readFile(task.file, 'utf8')).trimEnd().split('\n');
  bodies = lines
    .filter((_, index) => index % task.processes === task.process)
    .map((line) => chatBody((JSON.parse(line) as BenchDocument).text));
  const post = poster(task);
  if (task.pace === 'loop') {
    call = async (body) => {
      for (let waitMs = await post(body); waitMs !== undefined; waitMs = await post(body)) await delay(waitMs);
    };
    return;
  }
  const limiter = await sharedLimiter(task);
  call = async (body) => {
    const schedule = () => limiter.schedule({ weight: tokensOf(body) }, () => post(body));
    for (let waitMs = await schedule(); waitMs !== undefined; waitMs = await schedule()) await delay(waitMs);
  };
});
const limit = pLimit(inFlight);
for (;;) await Promise.all(bodies.map((body) => limit(call, body)));

/**
 * Bottleneck as its documentation has it: a reservoir of a minute's tokens that is refreshed every minute, jobs that weigh
 * their tokens, and `minTime` for the requests.
 */
async function sharedLimiter(task: PacedCallsTask): Promise<Bottleneck> {
  const connection = new Bottleneck.IORedisConnection({ client: new Redis({ path: task.redisSocket }) });
  const limiter = new Bottleneck({
    id: 'quota',
    datastore: 'ioredis',
    connection,
    minTime: Math.ceil(MINUTE_MS / task.requestsPerMinute),
    reservoir: task.tokensPerMinute,
    reservoirRefreshAmount: task.tokensPerMinute,
    reservoirRefreshInterval: MINUTE_MS,
  });
  limiter.on('error', (error) => {
    console.error(error);
    process.exit(1);
  });
  await limiter.ready();
  return limiter;
}

/** One request; resolves with the milliseconds to wait where it was refused. */
function poster({ url, inFlight: connections }: PacedCallsTask): (body: ChatBody) => Promise<number | undefined> {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections });
  const headers = { 'content-type': 'application/json', authorization: 'Bearer none' };
  return async (chat) => {
    const reply = await pool.request({
      path: `${pathname}/chat/completions`,
      method: 'POST',
      headers,
      body: JSON.stringify(chat),
    });
    const text = await reply.body.text();
    if (reply.statusCode === 429) return Number(reply.headers['retry-after'] ?? 1) * 1_000;
    if (reply.statusCode !== 200) throw new Error(`The provider answered ${reply.statusCode}: ${text}`);
    JSON.parse(text);
    return undefined;
  };
}
