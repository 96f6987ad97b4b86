import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { startFauxqs } from 'fauxqs';

export type StoreTrouble = 'store-5xx' | 'store-slow' | 'store-refusing' | 'store-partial' | 'store-full';

const BUCKET = 'mill';
const SLOWEST_MS = 1_500;
const ERRORS = {
  '5xx': [503, 'SlowDown'],
  refusing: [403, 'AccessDenied'],
  full: [507, 'XMinioStorageFull'],
} as const;

/** An S3 server, and what stands between it and the workers: every now and then it fails on purpose. */
export class StoreFront implements AsyncDisposable {
  readonly #store: Awaited<ReturnType<typeof startFauxqs>>;
  readonly #server = createServer((asked, response) => {
    this.#serve(asked, response).catch(() => response.destroy());
  });
  readonly #listeners = new Set<() => void>();
  #trouble: { readonly kind: StoreTrouble; readonly force: number } | undefined;
  #requests = 0;

  private constructor(store: Awaited<ReturnType<typeof startFauxqs>>) {
    this.#store = store;
    store.createBucket(BUCKET);
  }

  static async start(): Promise<StoreFront> {
    const front = new StoreFront(await startFauxqs({ port: 0, logger: false }));
    front.#server.listen(0, '127.0.0.1');
    await once(front.#server, 'listening');
    return front;
  }

  /** What a config says to reach the store, with its troubles or directly. */
  settings(way: 'front' | 'direct') {
    const port = way === 'direct' ? this.#store.port : (this.#server.address() as AddressInfo).port;
    return {
      store: `s3://${BUCKET}/chaos`,
      s3: { endpoint: `http://127.0.0.1:${port}`, forcePathStyle: true, accessKeyId: 'a', secretAccessKey: 'b' },
    };
  }

  /** Told when a worker writes the rows of a slice, which it commits next. */
  onRows(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** @param force 5xx, partial: share of the requests that it hits; slow: of the longest wait */
  async trouble(kind: StoreTrouble, lastsMs: number, force: number): Promise<void> {
    this.#trouble = { kind, force };
    await delay(lastsMs);
    this.#trouble = undefined;
  }

  async #serve(asked: IncomingMessage, response: ServerResponse): Promise<void> {
    const trouble = this.#trouble;
    const isWrite = asked.method === 'PUT' || asked.method === 'POST';
    if (isWrite && asked.url?.includes('/work/') === true) for (const listener of this.#listeners) listener();
    this.#requests += 1;
    // Spread evenly, so that the share holds also for few requests.
    const isHit = trouble !== undefined && (this.#requests * 0.618) % 1 < 0.2 + 0.8 * trouble.force;
    switch (trouble?.kind) {
      case 'store-5xx':
        // Some have done what they say they have not.
        if (isHit && this.#requests % 3 === 0) await this.#forward(asked, undefined);
        if (isHit) return refuse(asked, response, '5xx');
        break;
      case 'store-slow':
        await delay(SLOWEST_MS * trouble.force);
        break;
      case 'store-refusing':
        return refuse(asked, response, 'refusing');
      case 'store-full':
        if (isWrite) return refuse(asked, response, 'full');
        break;
      case 'store-partial':
        if (isHit) return await this.#breakOff(asked, response);
        break;
      default:
    }
    await this.#forward(asked, response);
  }

  /** @param response undefined: nobody hears the answer */
  async #forward(asked: IncomingMessage, response: ServerResponse | undefined): Promise<void> {
    const forwarded = this.#pass(asked);
    asked.pipe(forwarded);
    asked.once('close', () => !asked.complete && forwarded.destroy());
    const [answer] = (await once(forwarded, 'response')) as [IncomingMessage];
    if (response === undefined) {
      answer.resume();
      await once(answer, 'end');
      return;
    }
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  }

  /** A write ends in the middle of its body, a read in the middle of the answer. */
  async #breakOff(asked: IncomingMessage, response: ServerResponse): Promise<void> {
    const forwarded = this.#pass(asked);
    forwarded.on('error', () => {});
    const size = Number(asked.headers['content-length'] ?? 0);
    if (size > 1) {
      let sent = 0;
      for await (const part of asked) {
        const piece = (part as Buffer).subarray(0, Math.max(0, Math.floor(size / 2) - sent));
        sent += piece.length;
        forwarded.write(piece);
        if (sent >= Math.floor(size / 2)) break;
      }
      forwarded.destroy();
      response.destroy();
      return;
    }
    asked.pipe(forwarded);
    const [answer] = (await once(forwarded, 'response')) as [IncomingMessage];
    const bytes = Buffer.concat(await Array.fromAsync(answer as AsyncIterable<Buffer>));
    response.writeHead(answer.statusCode ?? 502, { ...answer.headers, 'content-length': bytes.length });
    response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => response.destroy());
  }

  #pass(asked: IncomingMessage) {
    return request({
      host: '127.0.0.1',
      port: this.#store.port,
      method: asked.method,
      path: asked.url,
      headers: asked.headers,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await this.#store.stop();
  }
}

function refuse(asked: IncomingMessage, response: ServerResponse, kind: keyof typeof ERRORS): void {
  const [status, code] = ERRORS[kind];
  asked.resume();
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>On purpose</Message></Error>`);
}
