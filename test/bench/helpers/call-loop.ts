import { readFile } from 'node:fs/promises';
import OpenAI from 'openai';
import pLimit from 'p-limit';
import { Pool } from 'undici';
import { takeTask } from './child-task.ts';
import { type BenchDocument, type ChatBody, chatBody } from './documents.ts';

/** What one bare script does; it reads its documents and writes its prompts before the clock starts. */
export interface CallLoopTask {
  /** `sdk`: p-limit and the openai package. `undici`: `Pool.request` in as many loops as calls in flight. */
  readonly client: 'sdk' | 'undici';
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

let callAll: CallAll = async () => [];
let bodies: readonly ChatBody[] = [];

await takeTask<CallLoopTask>(async (task) => {
  const lines = (await readFile(task.file, 'utf8')).trimEnd().split('\n');
  const all = lines.map((line) => chatBody((JSON.parse(line) as BenchDocument).text));
  callAll = task.client === 'sdk' ? sdkCaller(task) : undiciCaller(task);
  await callAll(all.slice(0, task.warmUp));
  bodies = all.slice(task.warmUp);
});
const cpu = process.cpuUsage();
const startedAt = performance.now();
const labels = await callAll(bodies);
const wallMs = performance.now() - startedAt;
const { user, system } = process.cpuUsage(cpu);
if (labels.some((label) => label !== 'bug')) throw new Error('A reply had another label');
const result: CallLoopResult = { calls: labels.length, cpuMs: (user + system) / 1_000, wallMs };
process.send?.(result, () => process.exit());

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

function undiciCaller({ url, inFlight }: CallLoopTask): CallAll {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: inFlight });
  const headers = { 'content-type': 'application/json', authorization: 'Bearer none' };
  const call = async (chat: ChatBody) => {
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
  return async (given) => {
    const found: string[] = [];
    const left = given.values();
    const loop = async () => {
      for (const body of left) found.push(await call(body));
    };
    await Promise.all(Array.from({ length: inFlight }, loop));
    return found;
  };
}
