import { readFileSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BillLine } from './bill.ts';
import { ChatProvider, type Ending, type PendingCall } from './chat-provider.ts';
import { answerControl } from './control-routes.ts';
import { errorReply, type HttpReply } from './http-reply.ts';
import type { SimulatorOptions } from './options.ts';
import { ProviderError } from './provider-error.ts';
import { type ResolvedOptions, resolveOptions, SimulatorOptionsError } from './resolve-options.ts';
import { createTokenCounter } from './token-counter.ts';

export interface RunningSimulator extends AsyncDisposable {
  /** What a client takes as its base URL: `http://127.0.0.1:PORT/v1`. */
  readonly url: string;
  /** Every billed call of this process, oldest first. */
  bill(): readonly BillLine[];
  /** Sums of the bill, requests, replies by status, refusals by dimension, faults by name. */
  totals(): ReturnType<ChatProvider['totals']>;
  /** Ends calls in progress (two seconds at most), closes the server and the bill. May be called twice. */
  close(): Promise<void>;
}

// Not imported: with its names Node loads an HTTP client that a server has no use for.
const { createServer } = process.getBuiltinModule('node:http');

/** Longer than clients keep idle connections, so that none is closed under a request. */
const KEEP_ALIVE_MS = 120_000;
const CLOSE_GRACE_MS = 2000;
const CLOSE_SWEEP_MS = 20;
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/**
 * Starts an OpenAI-compatible chat-completions server that makes up its answers, and bills, limits and fails like a
 * provider. See docs/simulator.md.
 *
 * @throws {SimulatorOptionsError} wrong options, an unreadable truth file, or an address that cannot be used
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<RunningSimulator> {
  const resolved = resolveOptions(options);
  const counter = await createTokenCounter(resolved.tokenCounting);
  const provider = new ChatProvider(resolved, counter, readTruth(resolved.truthFile));
  const server = createServer((request, response) => {
    void serve(provider, resolved, request, response);
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  try {
    await listen(server, resolved);
  } catch (error) {
    provider.close();
    throw error;
  }
  const { port } = server.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= closeServer(server).finally(() => provider.close());
    return closing;
  };
  return {
    url: `http://${resolved.host.includes(':') ? `[${resolved.host}]` : resolved.host}:${port}/v1`,
    bill: () => provider.bill,
    totals: () => provider.totals(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function serve(
  provider: ChatProvider,
  options: ResolvedOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  const body = await readBody(request);
  if (body === undefined) return;
  if (!path.startsWith('/v1/')) {
    send(response, answerControl(provider, options, request.method, path, body));
  } else if (provider.state.down) {
    request.socket.destroy();
  } else if (request.method === 'POST' && path === '/v1/chat/completions') {
    const call = provider.begin(request.headers.authorization, body);
    workOn(call, response, (ending) => conclude(provider, request, response, ending));
  } else if (request.method === 'GET' && path === '/v1/models') {
    send(response, provider.listModels(request.headers.authorization));
  } else {
    send(response, errorReply(new ProviderError(404, `Invalid URL (${request.method} ${path})`)));
  }
}

function workOn(call: PendingCall, response: ServerResponse, conclude: (ending: Ending) => void): void {
  const finish = (): void => {
    call.line?.leave();
    conclude(call.end(response.destroyed));
  };
  const begin = (): void => {
    // Not a reason to stay: a closed simulator does not wait for calls whose clients have gone.
    if (call.head !== undefined && call.head.afterMs < call.delayMs) {
      setTimeout(sendHead, call.head.afterMs, response, call.head.headers).unref();
    }
    if (call.delayMs > 0) setTimeout(finish, call.delayMs).unref();
    else finish();
  };
  if (call.line === undefined) {
    begin();
    return;
  }
  const leave = call.line.enter(begin);
  response.once('close', () => {
    if (leave()) call.drop?.();
  });
}

function conclude(provider: ChatProvider, request: IncomingMessage, response: ServerResponse, ending: Ending): void {
  provider.traffic.countReply(ending.kind === 'reply' ? String(ending.status) : ending.kind);
  switch (ending.kind) {
    case 'reply':
      send(response, ending);
      break;
    case 'reset':
      request.socket.resetAndDestroy();
      break;
    case 'hang':
      if (response.destroyed) ending.leave();
      else response.once('close', () => ending.leave());
  }
}

/** The headers of a success, before its length is known. */
function sendHead(response: ServerResponse, headers: HttpReply['headers']): void {
  if (response.destroyed) return;
  response.writeHead(200, { 'content-type': 'application/json', ...headers });
  response.flushHeaders();
}

function send(response: ServerResponse, reply: HttpReply): void {
  if (response.destroyed) return;
  if (!response.headersSent) {
    response.writeHead(reply.status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(reply.body),
      ...reply.headers,
    });
  }
  response.end(reply.body);
}

/** The body as text, or undefined where the client left before it was complete. */
function readBody(request: IncomingMessage): Promise<string | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      // A body this large is a mistake of the client; its connection ends before it fills the memory.
      if (bytes > MAX_BODY_BYTES) request.socket.destroy();
      else chunks.push(chunk);
    });
    request.on('end', () => resolve(chunks.length === 1 ? String(chunks[0]) : Buffer.concat(chunks).toString()));
    request.on('close', () => resolve(undefined));
    request.on('error', () => resolve(undefined));
  });
}

function readTruth(path: string | undefined): ReadonlyMap<string, string> {
  const truth = new Map<string, string>();
  if (path === undefined) return truth;
  try {
    for (const line of readFileSync(path, 'utf8').split('\n')) {
      if (line.trim() === '') continue;
      const { text, label } = JSON.parse(line) as { text: string; label: string };
      truth.set(text.trim(), label);
    }
  } catch (error) {
    throw new SimulatorOptionsError([
      `truthFile: cannot read ${path} as JSON Lines of {"text", "label"}: ${error instanceof Error ? error.message : String(error)}`,
    ]);
  }
  return truth;
}

function listen(server: Server, options: ResolvedOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new SimulatorOptionsError([
          `port: cannot listen on ${options.host}:${options.port} (${error.code ?? error.message}); use another port, or 0 for any free one`,
        ]),
      ),
    );
    server.listen(options.port, options.host, resolve);
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
    // A connection is busy until its reply is read and then kept alive by its client: look again for idle ones.
    const sweep = setInterval(() => server.closeIdleConnections(), CLOSE_SWEEP_MS);
    server.close(() => {
      clearTimeout(force);
      clearInterval(sweep);
      resolve();
    });
  });
}
