import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'undici';

export interface Answers {
  /** Milliseconds from the request to the end of its answer, in the order in which they came. */
  readonly tookMs: number[];
  /** What was not answered with success: a status, or why there was no answer. */
  readonly lost: string[];
}

/** One request and its whole answer, which is thrown away. */
async function ask(client: Client, path: string, key: string, into: Answers): Promise<void> {
  const from = performance.now();
  try {
    const { statusCode, body } = await client.request({
      method: 'GET',
      path,
      headers: { authorization: `Bearer ${key}` },
    });
    await body.dump({ limit: 2 ** 40 });
    if (statusCode !== 200) into.lost.push(String(statusCode));
    else into.tookMs.push(performance.now() - from);
  } catch (error) {
    into.lost.push((error as Error).message);
  }
}

/** `clients` connections that each ask again as soon as they are answered, `times` requests in all. */
export async function askFast(
  url: string,
  {
    path,
    key,
    clients,
    times,
  }: { readonly path: string; readonly key: string; readonly clients: number; readonly times: number },
): Promise<Answers> {
  const answers: Answers = { tookMs: [], lost: [] };
  let left = times;
  await Promise.all(
    Array.from({ length: clients }, async () => {
      const client = new Client(url);
      while (left-- > 0) await ask(client, path, key, answers);
      await client.close();
    }),
  );
  return answers;
}

/** Clients that each look once a second until the signal, with a connection of their own. */
export async function poll(
  url: string,
  {
    path,
    keys,
    clients,
    signal,
  }: {
    readonly path: string;
    readonly keys: readonly string[];
    readonly clients: number;
    readonly signal: AbortSignal;
  },
): Promise<Answers> {
  const answers: Answers = { tookMs: [], lost: [] };
  await Promise.all(
    Array.from({ length: clients }, async (_, index) => {
      const client = new Client(url, { headersTimeout: 120_000 });
      await delay((index * 1_000) / clients);
      while (!signal.aborted) {
        await ask(client, path, keys[index % keys.length] ?? '', answers);
        await delay(1_000);
      }
      await client.close();
    }),
  );
  return answers;
}

/** JSON lines of a kilobyte each, until there are `bytes` of them. */
function* documentLines(bytes: number, from: number): Generator<Buffer, void, undefined> {
  const LINES = 64;
  let sent = 0;
  for (let number = 0; sent < bytes; number += LINES) {
    const lines = Array.from({ length: LINES }, (_, index) => {
      const id = `d${from}-${number + index}`;
      return JSON.stringify({ id, text: `Ticket ${id}: ${'the invoice shows a wrong amount. '.repeat(29)}` });
    });
    const chunk = Buffer.from(`${lines.join('\n')}\n`);
    sent += chunk.length;
    yield chunk;
  }
}

export type UploadKind = 'file' | 'documents';

/** One upload: a file of the OpenAI-compatible endpoint, or the documents of a batch. Returns the status. */
export async function upload(
  url: string,
  {
    kind,
    bytes,
    number,
    key,
    query,
  }: {
    readonly kind: UploadKind;
    readonly bytes: number;
    readonly number: number;
    readonly key: string;
    readonly query: string;
  },
): Promise<number> {
  const client = new Client(url, { headersTimeout: 0, bodyTimeout: 0 });
  const boundary = 'bench-boundary';
  const lines = documentLines(bytes, number);
  const form = function* (): Generator<Buffer, void, undefined> {
    yield Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${number}.jsonl"\r\nContent-Type: application/jsonl\r\n\r\n`,
    );
    yield* lines;
    yield Buffer.from(`\r\n--${boundary}--\r\n`);
  };
  const { statusCode, body } = await client.request({
    method: 'POST',
    path: kind === 'file' ? '/v1/files' : `/api/v1/batches?${query}`,
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': kind === 'file' ? `multipart/form-data; boundary=${boundary}` : 'application/x-ndjson',
    },
    body: Readable.from(kind === 'file' ? form() : lines, { objectMode: false }),
  });
  const said = await body.text();
  await client.close();
  if (statusCode >= 300) console.log(`upload ${number}: ${statusCode} ${said.slice(0, 300)}`);
  return statusCode;
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
