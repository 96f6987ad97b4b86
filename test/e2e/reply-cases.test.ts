import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { NightmillError } from '../../src/errors.ts';
import { connect, type Mill } from '../../src/library/index.ts';
import { startTcpRedis } from '../helpers/tcp-redis.ts';
import { makeTemporaryFolder } from '../helpers/temporary-folder.ts';

/** One line of `fixtures/reply-cases.jsonl`: what a server answers, and the right outcome. */
interface ReplyCase {
  readonly case: string;
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: unknown;
  readonly bodyText?: string;
  readonly encoding?: 'gzip';
  /** So the first time only; a good reply to the next request. */
  readonly first?: boolean | string;
  readonly wire?: 'anthropic' | 'gemini';
  readonly docs?: number;
  readonly others?: number;
  readonly docChars?: number;
  readonly longerThan?: number;
  readonly downMs?: number;
  readonly strictTurns?: boolean;
  readonly task?: 'summarize';
  readonly doc?: string;
  readonly labels?: string;
  readonly logprobs?: boolean;
  readonly window?: number;
  readonly right: {
    readonly label?: string;
    readonly summary?: string;
    readonly confidence?: number;
    readonly calls?: number | string;
    readonly state?: string;
    readonly documentsFailed?: number;
    readonly othersSucceeded?: number;
    readonly code?: string;
    readonly paidCalls?: string;
    readonly requestsIn5s?: string;
    readonly gapSeconds?: string;
    readonly uncertainUsd?: number;
    readonly warnings?: readonly string[];
  };
}

const CASES = readFileSync(new URL('../fixtures/reply-cases.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as ReplyCase)
  // A wait of 90 s is tested with a shorter one in call-model.test.ts.
  .filter(({ case: name }) => !name.includes('Retry-After 90'));

type Server = Awaited<ReturnType<typeof serve>>;

const closing = new AsyncDisposableStack();
let mill: Mill;
let servers: readonly Server[];

/** One Redis and one worker for all: each case has a provider, a model and a workflow of its own, so none learns from another. */
beforeAll(async () => {
  const redis = closing.use(await startTcpRedis());
  const folder = closing.use(await makeTemporaryFolder('reply-cases'));
  servers = await Promise.all(CASES.map(serve));
  const parts = CASES.map((played, index) => configOf(played, index, servers[index]?.url ?? ''));
  const section = (name: 'providers' | 'models' | 'workflows') => [`${name}:`, ...parts.map((part) => part[name])];
  const config = [
    `redis: ${redis.url}`,
    'worker: { slices: 16 }',
    ...section('providers'),
    ...section('models'),
    ...section('workflows'),
  ];
  await writeFile(`${folder.path}/nightmill.yaml`, config.join('\n'));
  mill = closing.use(await connect({ cwd: folder.path, env: {}, logLevel: 'silent' }));
  await mill.work(CASES.map((_, index) => `w${index}`));
});
afterAll(() => closing.disposeAsync());

interface Seen {
  readonly at: number;
  readonly raw: string;
  readonly paid: boolean;
}

/** A server that answers documents named `bad` as the case says, and others well. */
async function serve(played: ReplyCase) {
  const seen: Seen[] = [];
  let startedAt = performance.now();
  let answered = 0;
  const server = createServer({ maxHeaderSize: 65_536 }, (request, response) => {
    void text(request).then((raw) => {
      if (request.method !== 'POST') {
        response.writeHead(404).end();
        return;
      }
      const reply = replyTo(raw);
      seen.push({ at: performance.now() - startedAt, raw, paid: reply.status === 200 });
      const bytes = Buffer.from(reply.text);
      response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
      response.end(reply.gzip === true ? gzipSync(bytes) : bytes);
    });
  });
  const good = () => {
    const said = JSON.stringify(
      played.task === 'summarize'
        ? { summary: 'The harbour office asks for pallets and wants them by April.' }
        : { label: played.right.label ?? 'billing', confidence: 0.95 },
    );
    return { status: 200, text: JSON.stringify(wrap(played.wire, said)) };
  };
  const replyTo = (raw: string): { status: number; text: string; headers?: ReplyCase['headers']; gzip?: boolean } => {
    if (played.strictTurns === true && /"role":"(assistant|model)","(content|parts)":("\s*"|\[\])/.test(raw)) {
      return { status: 400, text: '{"error":{"message":"assistant turns must not be empty"}}' };
    }
    if (played.window !== undefined && raw.length / 4 > played.window) {
      return { status: 400, text: '{"error":{"message":"maximum context length is 4096 tokens"}}' };
    }
    const isBad = raw.includes('Ticket bad') || played.doc !== undefined || played.docChars !== undefined;
    if (!isBad) return good();
    if (played.longerThan !== undefined && raw.length <= played.longerThan) return good();
    if (played.downMs !== undefined && performance.now() - startedAt > played.downMs) return good();
    answered += 1;
    if (played.first !== undefined && answered > 1) return good();
    return {
      status: played.status,
      text: played.bodyText ?? JSON.stringify(played.body),
      ...(played.headers === undefined ? {} : { headers: played.headers }),
      gzip: played.encoding === 'gzip',
    };
  };
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  closing.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    /** The times of the case begin now. */
    begin: () => {
      startedAt = performance.now();
    },
  };
}

function wrap(wire: ReplyCase['wire'], said: string): object {
  if (wire === 'anthropic') {
    const content = [{ type: 'text', text: said }];
    const usage = { input_tokens: 100, output_tokens: 10 };
    return { id: 'm', type: 'message', role: 'assistant', model: 'm-1', content, stop_reason: 'end_turn', usage };
  }
  if (wire === 'gemini') {
    const usageMetadata = { promptTokenCount: 100, candidatesTokenCount: 10, totalTokenCount: 110 };
    return {
      candidates: [{ content: { role: 'model', parts: [{ text: said }] }, finishReason: 'STOP' }],
      usageMetadata,
    };
  }
  const message = { role: 'assistant', content: said };
  const usage = { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 };
  return {
    id: 'c',
    object: 'chat.completion',
    model: 'm-1',
    choices: [{ index: 0, message, finish_reason: 'stop' }],
    usage,
  };
}

/** A line of each section of the config. */
function configOf(played: ReplyCase, index: number, url: string) {
  const labels = played.labels ?? '{ billing: "Invoices", bug: "Something is broken", other: "Anything else" }';
  const task =
    played.task === 'summarize' ? 'task: summarize, summary: { maxWords: 60 }' : `task: classify, labels: ${labels}`;
  const kind = played.wire ?? 'openai';
  const base = kind === 'openai' ? `${url}/v1` : url;
  const capabilities = played.logprobs === true ? ', logprobs: true' : '';
  const window = `contextTokens: ${played.window ?? 32768}, maxOutputTokens: 1024`;
  const price = 'price: { inputPerMillion: 1, outputPerMillion: 2 }';
  return {
    providers: `  p${index}: { kind: ${kind}, baseUrl: "${base}", apiKey: key${capabilities} }`,
    models: `  m${index}: { provider: p${index}, id: m-1, ${window}, ${price} }`,
    workflows: `  w${index}: { ${task}, cascade: [{ model: m${index} }] }`,
  };
}

function documentsOf({ docs = 1, others = 0, docChars, doc }: ReplyCase): { id: string; text: string }[] {
  const long = 'the order was late and the customer asks again about the invoice ';
  const texts = Array.from({ length: docs }, (_, index) => {
    if (doc !== undefined) return doc;
    return docChars === undefined
      ? `Ticket bad ${index}: the invoice is wrong.`
      : long.repeat(Math.ceil(docChars / long.length)).slice(0, docChars);
  });
  const good = Array.from(
    { length: others },
    (_, index) => `Ticket good ${index}: the invoice number ${index} is wrong.`,
  );
  const all = [...good.slice(0, others / 2), ...texts, ...good.slice(others / 2)];
  return all.map((each, index) => ({ id: `d${index}`, text: each }));
}

/** Ends as `run` would: with its batch, or where the batch is paused for a person. */
async function work(played: ReplyCase, index: number) {
  const batch = await mill.submit(`w${index}`, documentsOf(played));
  const paused = await batch.wait({ pollMs: 50 }).then(
    () => false,
    (error: unknown) => (error as NightmillError).code === 'batch_state',
  );
  const [results, errors] = [batch.results({ partial: true }), batch.errors({ partial: true })];
  return {
    paused,
    status: await batch.status(),
    results: await Array.fromAsync(results),
    errors: await Array.fromAsync(errors),
  };
}

/** Several at once: many of them wait. */
it.concurrent.each(CASES.map((played, index) => ({ ...played, index })))(
  '$case',
  { timeout: 180_000 },
  async (played) => {
    const { seen, begin } = servers[played.index] as Server;
    begin();
    const { paused, status, results, errors } = await work(played, played.index);
    const { right } = played;
    const said = JSON.stringify({ status: status.breaker, errors });
    expect(paused, said).toBe(right.state === 'paused');
    if (paused) {
      expect(status).toMatchObject({ state: 'paused', documents: { failed: 0 } });
      return;
    }
    expect(errors, said).toHaveLength(right.documentsFailed ?? 0);
    if (right.code !== undefined) expect(errors[0]?.error?.code).toBe('refused_content');
    if (right.othersSucceeded !== undefined) expect(results.length).toBeGreaterThanOrEqual(right.othersSucceeded);
    const row = results[0];
    if (right.label !== undefined) expect(row?.result?.label).toBe(right.label);
    if (right.summary !== undefined) expect(row?.result?.summary).toBe(right.summary);
    if (right.confidence !== undefined) expect(row?.result?.confidence).toBeCloseTo(right.confidence, 3);
    if (typeof right.calls === 'number') expect(seen.length, said).toBe(right.calls);
    if (typeof right.calls === 'string') expect(seen.length).toBeGreaterThan(1);
    if (right.paidCalls !== undefined) expect(seen.filter(({ paid }) => paid).length).toBeLessThanOrEqual(3);
    if (right.requestsIn5s !== undefined) expect(seen.filter(({ at }) => at < 5_000).length).toBeLessThan(100);
    if (right.gapSeconds !== undefined) expect((seen[1]?.at ?? 0) - (seen[0]?.at ?? 0)).toBeGreaterThan(2_900);
    if (right.uncertainUsd !== undefined) expect(status.uncertainUsd).toBe(right.uncertainUsd);
    if (right.warnings !== undefined) expect((row as { warnings?: unknown }).warnings).toBeDefined();
    for (const { raw } of seen) expect(raw).toBe(raw.toWellFormed());
  },
);
