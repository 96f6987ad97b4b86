import type { Dispatcher } from 'undici';
import { AbortListeners } from '../../runtime/abort-listeners.ts';
import type { CallInLine, ServerLine } from './server-line.ts';

export interface HttpExchangeRequest {
  readonly origin: string;
  /** Path and query, as in the request line. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /**
   * For everything together: waiting for a connection, connecting, sending, receiving. It starts over whenever the server
   * has answered a call that was sent earlier: until then it may not have taken this one up.
   */
  readonly timeoutMs: number;
  /** A longer body is cut off and its connection closed. */
  readonly maxBodyBytes: number;
  /** False: its connection is closed after it. */
  readonly reusesConnection: boolean;
}

/**
 * How one exchange ended. `sent` is false only if it is certain that no byte of the request left this process.
 */
export type HttpExchangeResult =
  | {
      readonly kind: 'response';
      readonly status: number;
      /** Lower-case names; repeated headers are joined with a comma. */
      readonly headers: Readonly<Record<string, string>>;
      readonly body: Buffer;
      /** Milliseconds from handing the request to its connection to the first byte of the response's head. */
      readonly firstByteMs: number;
      /** The body was longer than allowed and is incomplete. */
      readonly cutOff: boolean;
    }
  | { readonly kind: 'aborted'; readonly sent: boolean }
  | { readonly kind: 'timeout'; readonly sent: boolean }
  | { readonly kind: 'error'; readonly sent: boolean; readonly error: Error };

/** Makes one POST and never repeats it. Every outcome is a value; the promise does not reject. */
export function exchangeHttp(
  dispatcher: Dispatcher,
  line: ServerLine,
  request: HttpExchangeRequest,
  signal: AbortSignal,
): Promise<HttpExchangeResult> {
  if (signal.aborted) return Promise.resolve({ kind: 'aborted', sent: false });
  return new Promise((resolve) => {
    const exchange = new HttpExchange(request, line, signal, resolve);
    // Not `request()`: that hides when the request goes out, and a stream per reply costs more than an array.
    const { origin, path, headers, body, reusesConnection } = request;
    dispatcher.dispatch({ origin, path, method: 'POST', headers, body, reset: !reusesConnection }, exchange);
  });
}

const givenUp = new AbortListeners<HttpExchange>((exchange) => exchange.abort());

class HttpExchange implements Dispatcher.DispatchHandler {
  readonly #maxBodyBytes: number;
  readonly #timeoutMs: number;
  readonly #resolve: (result: HttpExchangeResult) => void;
  readonly #startedAt = performance.now();
  readonly #line: ServerLine;
  readonly #place: CallInLine;
  readonly #signal: AbortSignal;
  readonly #chunks: Buffer[] = [];
  #timer: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | undefined;
  #ended = false;
  #status = 0;
  #headers: Readonly<Record<string, string>> = {};
  #bodyBytes = 0;
  #sentAt = 0;
  #firstByteAt = 0;

  constructor(
    request: HttpExchangeRequest,
    line: ServerLine,
    signal: AbortSignal,
    resolve: (result: HttpExchangeResult) => void,
  ) {
    this.#line = line;
    this.#place = line.enter();
    this.#maxBodyBytes = request.maxBodyBytes;
    this.#timeoutMs = request.timeoutMs;
    this.#resolve = resolve;
    this.#timer = this.#limitTime(this.#timeoutMs);
    this.#signal = signal;
    givenUp.add(signal, this);
  }

  #limitTime(milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => {
      // An answer that came while this process was busy is read first.
      setImmediate(() => {
        if (this.#ended) return;
        const leftMs = Math.max(this.#startedAt, this.#place.movedUpAt) + this.#timeoutMs - performance.now();
        // Timers may fire up to a millisecond early.
        if (leftMs > 1) this.#timer = this.#limitTime(leftMs);
        else this.#giveUp('timeout');
      });
    }, milliseconds);
  }

  /**
   * undici calls this on a connected socket, in the same turn in which it writes the request and just before it
   * does. So until here nothing was sent, and an abort from within keeps it from being sent.
   */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#ended) controller.abort(new Error('The caller gave up before the request was sent'));
    else {
      this.#controller = controller;
      this.#sentAt = performance.now();
    }
  }

  /** undici calls this at the first byte of each head, so that what a server says in between (1xx) does not count. */
  onResponseStarted(): void {
    this.#firstByteAt = performance.now();
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    this.#status = status;
    this.#headers = joinHeaders(headers);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bodyBytes += chunk.length;
    if (this.#bodyBytes > this.#maxBodyBytes) this.#endWithResponse(true);
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#endWithResponse(false);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#end({ kind: 'error', sent: this.#controller !== undefined, error });
  }

  #endWithResponse(cutOff: boolean): void {
    const body = Buffer.concat(this.#chunks);
    const firstByteMs = this.#firstByteAt - this.#sentAt;
    this.#end({ kind: 'response', status: this.#status, headers: this.#headers, body, firstByteMs, cutOff });
    if (cutOff) this.#controller?.abort(new Error('The body is too long'));
  }

  abort(): void {
    this.#giveUp('aborted');
  }

  #giveUp(kind: 'aborted' | 'timeout'): void {
    if (this.#ended) return;
    this.#end({ kind, sent: this.#controller !== undefined });
    this.#controller?.abort(new Error(`The call ended: ${kind}`));
  }

  /** The first outcome counts; what undici reports after it is an echo of our own abort. */
  #end(result: HttpExchangeResult): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#line.leave(this.#place, result.kind === 'response' && result.status < 300);
    givenUp.delete(this.#signal, this);
    this.#resolve(result);
  }
}

function joinHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) joined[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return joined;
}
