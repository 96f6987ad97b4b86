import { finished, Readable } from 'node:stream';

export interface CheckedDownloadOptions {
  /** Length of the whole object, when the store said it. */
  readonly expectedBytes?: number | undefined;
  /** How long the source may send nothing while the reader waits for data; without it, forever. */
  readonly idleTimeoutMs?: number;
  /** Turns a failure of the source into the error that the reader sees. */
  readonly describeFailure: (error: unknown) => Error;
}

/**
 * The bytes of `source`, with every failure visible: one that ends short of `expectedBytes`, breaks off or goes
 * silent destroys this stream with an error and never ends it normally. A slow reader is no failure: the idle
 * clock runs only while the reader wants data. Destroying this stream destroys the source.
 */
export class CheckedDownload extends Readable {
  readonly #source: Readable;
  readonly #options: CheckedDownloadOptions;
  #receivedBytes = 0;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(source: Readable, options: CheckedDownloadOptions) {
    super();
    this.#source = source;
    this.#options = options;
    source.on('data', (chunk: Buffer) => this.#receive(chunk));
    source.pause();
    finished(source, { writable: false }, (error) => this.#finish(error));
  }

  override _read(): void {
    this.#startIdleTimer();
    this.#source.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearTimeout(this.#idleTimer);
    this.#source.destroy();
    callback(error);
  }

  #receive(chunk: Buffer): void {
    this.#receivedBytes += chunk.byteLength;
    clearTimeout(this.#idleTimer);
    if (this.push(chunk)) this.#startIdleTimer();
    else this.#source.pause();
  }

  #finish(error: Error | null | undefined): void {
    clearTimeout(this.#idleTimer);
    const { expectedBytes } = this.#options;
    if (error) this.#fail(error);
    else if (expectedBytes !== undefined && this.#receivedBytes !== expectedBytes) {
      this.#fail(new Error(`the download ended after ${this.#receivedBytes} of ${expectedBytes} bytes`));
    } else this.push(null);
  }

  #startIdleTimer(): void {
    const { idleTimeoutMs } = this.#options;
    if (idleTimeoutMs === undefined) return;
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => {
      this.#fail(new Error(`no data came for ${idleTimeoutMs} ms`));
    }, idleTimeoutMs);
  }

  #fail(error: unknown): void {
    if (!this.destroyed) this.destroy(this.#options.describeFailure(error));
  }
}
