import { createServer, type Socket } from 'node:net';

/**
 * A provider that does next to nothing, as a process: the same valid chat completion to every POST, after a fixed
 * number of milliseconds (first argument, default 0). It speaks just enough HTTP for clients that send a length, so that it
 * costs far less than they do. `GET /counts` says what it saw. Standard output has one JSON line: `{"url"}`.
 */

/** What `GET /counts` answers. */
export interface ProviderCounts {
  readonly requests: number;
  readonly bodyBytes: number;
  /**
   * How long each place stood empty: from a reply to the request that took the place, in milliseconds. With as many
   * calls in flight as a client may have, that is all the time the client adds to a call.
   */
  readonly gapsMs: readonly number[];
}

// Whoever started it has gone.
process.stdin.resume().once('end', () => process.exit());

const latencyMs = Number(process.argv[2] ?? 0);
const REPLY = httpReply({
  id: 'chatcmpl-instant',
  object: 'chat.completion',
  created: 1_767_225_600,
  model: 'small-2026-01-01',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: '{"label":"bug","confidence":0.97}', refusal: null },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 400, completion_tokens: 12, total_tokens: 412 },
});

let requests = 0;
let bodyBytes = 0;
const gapsMs: number[] = [];
const emptySince: number[] = [];

function httpReply(value: object): Buffer {
  const body = JSON.stringify(value);
  const length = Buffer.byteLength(body);
  return Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n${body}`);
}

/** Takes whole requests off the front and returns what is left. */
function takeRequests(socket: Socket, received: Buffer): Buffer {
  let rest = received;
  for (;;) {
    const headEnd = rest.indexOf('\r\n\r\n');
    if (headEnd < 0) return rest;
    const head = rest.toString('latin1', 0, headEnd);
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    const end = headEnd + 4 + length;
    if (rest.length < end) return rest;
    rest = rest.subarray(end);
    if (head.startsWith('GET')) socket.write(httpReply({ requests, bodyBytes, gapsMs } satisfies ProviderCounts));
    else answer(socket, length);
  }
}

function answer(socket: Socket, length: number): void {
  requests += 1;
  bodyBytes += length;
  if (latencyMs === 0) {
    socket.write(REPLY);
    return;
  }
  const since = emptySince.shift();
  if (since !== undefined) gapsMs.push(performance.now() - since);
  setTimeout(() => {
    emptySince.push(performance.now());
    socket.write(REPLY);
  }, latencyMs);
}

const server = createServer((socket) => {
  let pending = Buffer.alloc(0);
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.from(takeRequests(socket, pending.length === 0 ? chunk : Buffer.concat([pending, chunk])));
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('A TCP server has no port');
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${address.port}/v1` })}\n`);
});
