import type { Dispatcher } from 'undici';
import { openPool } from '../outbound/proxy.ts';
import type { ProviderClientOptions } from './client-options.ts';
import type { HttpExchangeResult } from './http-exchange.ts';

/** Gateways send long traces; undici's own limit is 16 kB, and the reply behind it was paid for. */
const MAX_HEADER_BYTES = 256 * 1024;
/** After so many losses on used connections every call gets one of its own: the server ends those that are used again. */
const MAX_LOSSES = 3;
/** Unless used connections carry at least so many calls for each that is lost: then it was away, and does not do so always. */
const MIN_CALLS_A_LOSS = 5;
/** What is older than so many calls on used connections counts for half. */
const REMEMBERED_CALLS = 1_000;
const LOST_CODES: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

/** The connections to one server, and whether it takes a second call on one. `close()` ends calls that are under way. */
export class Connections {
  readonly #open: () => Dispatcher;
  readonly #retired: Dispatcher[] = [];
  /** Opened by the first call. */
  #pool: Dispatcher | undefined;
  #isClosed = false;
  #areReused = true;
  /** Calls that went out on a connection which had carried one before, as far as can be told from the count of connections. */
  #onUsed = 0;
  /** Of all calls, those that were lost after they were sent, and before an answer. */
  #losses = 0;

  constructor(origin: string, options: Pick<ProviderClientOptions, 'maxConnections' | 'connectTimeoutMs' | 'proxy'>) {
    this.#open = () =>
      openPool(options.proxy, origin, {
        connections: options.maxConnections ?? 64,
        // One request per connection at a time: a broken connection then leaves one call in doubt, not several.
        pipelining: 1,
        allowH2: false,
        maxHeaderSize: MAX_HEADER_BYTES,
        connect: { timeout: options.connectTimeoutMs ?? 10_000 },
        // One timer per call covers both, exactly; undici's own are checked twice a second.
        headersTimeout: 0,
        bodyTimeout: 0,
        // keepAliveTimeout stays short (4 s, or the server's hint): a request on a connection that the server is
        // closing at this moment cannot be told from one that was billed and lost.
      });
  }

  get dispatcher(): Dispatcher {
    this.#pool ??= this.#open().on('connect', () => {
      this.#onUsed -= 1;
    });
    // Opened after that it takes no call.
    if (this.#isClosed) void this.#pool.destroy().catch(() => {});
    return this.#pool;
  }

  /** False: a call closes its connection after it. */
  get areReused(): boolean {
    return this.#areReused;
  }

  /** How a call has ended. */
  note(exchange: HttpExchangeResult): void {
    if (!this.#areReused || !wasSent(exchange)) return;
    this.#onUsed += 1;
    // A server that takes no call at all says nothing of used connections.
    if (isLost(exchange)) this.#losses = Math.min(this.#losses + 1, Math.max(0, this.#onUsed));
    if (this.#losses >= MAX_LOSSES && this.#losses * MIN_CALLS_A_LOSS > this.#onUsed) this.#giveUpReuse();
    if (this.#onUsed > REMEMBERED_CALLS) {
      this.#onUsed /= 2;
      this.#losses /= 2;
    }
  }

  /** Idle connections would lose the next calls: they are left, once the calls on others have ended. */
  #giveUpReuse(): void {
    this.#areReused = false;
    const retired = this.dispatcher;
    this.#retired.push(retired);
    void retired.close().catch(() => {});
    this.#pool = this.#open();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([this.#pool, ...this.#retired].map((pool) => pool?.destroy()));
  }
}

function wasSent(exchange: HttpExchangeResult): boolean {
  return exchange.kind === 'response' || exchange.sent;
}

function isLost(exchange: HttpExchangeResult): boolean {
  return exchange.kind === 'error' && 'code' in exchange.error && LOST_CODES.has(exchange.error.code);
}
