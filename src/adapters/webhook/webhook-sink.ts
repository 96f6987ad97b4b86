import { randomUUID } from 'node:crypto';
import Bottleneck from 'bottleneck';
import { type Dispatcher, request } from 'undici';
import type { AlertSink } from '../../budgets/alert-sink.ts';
import type { Alert } from '../../budgets/alerts.ts';
import type { Delivery, DeliveryLog } from '../../budgets/delivery-log.ts';
import type { Notice } from '../../budgets/notice.ts';
import type { Log } from '../../runtime/log.ts';
import type { ProxySettings } from '../../runtime/proxy-settings.ts';
import { openAgent } from '../outbound/proxy.ts';
import { runCommand } from './run-command.ts';
import { signedHeaders } from './sign-webhook.ts';
import {
  describeMessage,
  type ExecTarget,
  type HttpTarget,
  messageJson,
  type WebhookTarget,
  webhookRequest,
} from './webhook-request.ts';

export interface WebhookSinkOptions {
  readonly targets: readonly WebhookTarget[];
  readonly log: Log;
  /** Keeps what became of each message; it may fail without harm. Default: kept nowhere. */
  readonly deliveries?: Pick<DeliveryLog, 'append'>;
  /** Names a message, for headers and log. Default: a random one. */
  readonly newId?: () => string;
  /** The PATH of programs that are run. */
  readonly searchPath?: string | undefined;
  readonly proxy?: ProxySettings;
  /** For one try, from connecting to the last byte. Default 5 s. */
  readonly timeoutMs?: number;
  /** Between two alerts to the same target: chat services take about one a second. Default 1 s. */
  readonly spacingMs?: number;
  /** Before the second try; each later one waits four times as long. Default 500 ms. */
  readonly backoffMs?: number;
  /** How long `close` waits for deliveries under way. Default 5 s. */
  readonly closeGraceMs?: number;
}

const DEFAULTS = { timeoutMs: 5_000, backoffMs: 500, closeGraceMs: 5_000, spacingMs: 1_000 };
const MAX_TRIES = 3;
/** For a program that is run, as long as a person would wait for it. */
const PROGRAM_TIME_MS = 30_000;
const PROGRAM_ENDED = 'the program ended';
const MAX_RETRY_AFTER_MS = 10_000;

/**
 * Sends alerts to webhooks beside the work: every failure ends in the log. URLs and tokens are secrets, so neither they
 * nor an error's own message, which may quote them, are logged: a target is named by its kind and its place in the config. Each target is paced by itself.
 */
export class WebhookSink implements AlertSink {
  readonly #options: Omit<WebhookSinkOptions, 'proxy'> & typeof DEFAULTS & Pick<Required<WebhookSinkOptions>, 'newId'>;
  readonly #agent: Dispatcher;
  readonly #ending = new AbortController();
  readonly #lanes: readonly Lane[];
  readonly #deliveries = new Set<Promise<void>>();
  #closing: Promise<void> | undefined;

  constructor(options: WebhookSinkOptions) {
    this.#options = { ...DEFAULTS, newId: randomUUID, ...options };
    this.#agent = openAgent(options.proxy, { connections: 2 });
    this.#lanes = options.targets.map((target, index) => ({
      target,
      name: `alerts.webhooks.${index}`,
      limiter: new Bottleneck({ maxConcurrent: 1, minTime: this.#options.spacingMs }),
    }));
    for (const { limiter } of this.#lanes) {
      // A number asks Bottleneck to run the same delivery once more after so long.
      limiter.on('failed', (error, { retryCount }) => this.#retryInMs(error, retryCount));
    }
  }

  send(message: Alert | Notice, at: number): void {
    if (this.#closing !== undefined) return;
    const sent: Sent = { id: `msg_${this.#options.newId()}`, message, at };
    for (const lane of this.#lanes) {
      const delivery = this.#deliver(lane, sent).finally(() => this.#deliveries.delete(delivery));
      this.#deliveries.add(delivery);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const grace = setTimeout(() => {
      this.#ending.abort();
      for (const { limiter } of this.#lanes) {
        void limiter.stop({ dropWaitingJobs: true, dropErrorMessage: PROGRAM_ENDED }).catch(() => {});
      }
    }, this.#options.closeGraceMs);
    await Promise.all(this.#deliveries);
    clearTimeout(grace);
    await this.#agent.destroy();
  }

  /** Never rejects. */
  async #deliver({ target, name, limiter }: Lane, sent: Sent): Promise<void> {
    const { log } = this.#options;
    const fields = { webhook: name, kind: target.kind, ...describeMessage(sent.message) };
    let attempt = 0;
    try {
      await limiter.schedule(async () => {
        attempt += 1;
        const outcome = await this.#tell(target, sent);
        if (outcome.kind === 'delivered') return;
        const failure = new DeliveryError(outcome);
        if (this.#retryInMs(failure, attempt - 1) !== undefined) {
          log.warn('alert:retried', { ...fields, attempt, reason: outcome.reason });
        }
        throw failure;
      });
      log.debug('alert:delivered', fields);
      await this.#note({ ...fields, at: sent.at, message: sent.id, outcome: 'delivered', attempts: attempt });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.error('alert:lost', { ...fields, attempt, reason });
      await this.#note({ ...fields, at: sent.at, message: sent.id, outcome: 'lost', attempts: attempt, reason });
    }
  }

  /** The log says it too: that it cannot be kept is no trouble of the delivery. */
  async #note(delivery: Delivery): Promise<void> {
    await this.#options.deliveries?.append(delivery).catch(() => {});
  }

  /** Undefined: it is not tried again. */
  #retryInMs(error: unknown, retries: number): number | undefined {
    if (!(error instanceof DeliveryError) || error.outcome.kind === 'refused') return undefined;
    if (retries + 1 >= MAX_TRIES || this.#ending.signal.aborted) return undefined;
    return error.outcome.retryAfterMs ?? this.#options.backoffMs * 4 ** retries * (0.75 + Math.random() * 0.5);
  }

  async #tell(target: WebhookTarget, sent: Sent): Promise<Outcome> {
    return target.kind === 'exec' ? await this.#run(target, sent) : await this.#post(target, sent);
  }

  /** A program is run once: what it has done already is not known. */
  async #run({ command }: ExecTarget, { message, at }: Sent): Promise<Outcome> {
    const timeout = AbortSignal.timeout(PROGRAM_TIME_MS);
    const signal = AbortSignal.any([timeout, this.#ending.signal]);
    const failed = await runCommand(command, messageJson(message, at), {
      searchPath: this.#options.searchPath,
      signal,
    });
    if (failed === undefined) return { kind: 'delivered' };
    if (timeout.aborted) return { kind: 'refused', reason: `the program took longer than ${PROGRAM_TIME_MS / 1000} s` };
    return { kind: 'refused', reason: this.#ending.signal.aborted ? PROGRAM_ENDED : failed };
  }

  async #post(target: HttpTarget, { id, message, at }: Sent): Promise<Outcome> {
    const timeout = AbortSignal.timeout(this.#options.timeoutMs);
    try {
      const { url, body } = webhookRequest(target, message, at);
      const secret = target.kind === 'generic' ? target.secret : undefined;
      const signature = target.kind === 'generic' ? signedHeaders(id, secret, body, Date.now()) : {};
      const response = await request(url, {
        method: 'POST',
        dispatcher: this.#agent,
        headers: { 'content-type': 'application/json', 'user-agent': 'nightmill', ...signature },
        body,
        signal: AbortSignal.any([timeout, this.#ending.signal]),
      });
      await response.body.dump();
      const { statusCode } = response;
      if (statusCode >= 200 && statusCode < 300) return { kind: 'delivered' };
      const reason = `HTTP ${statusCode}`;
      if (statusCode !== 429 && statusCode !== 408 && statusCode < 500) return { kind: 'refused', reason };
      const retryAfterMs = readRetryAfter(response.headers['retry-after']);
      return { kind: 'failed', reason, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
    } catch (error) {
      if (timeout.aborted) return { kind: 'failed', reason: `no answer in ${this.#options.timeoutMs} ms` };
      if (this.#ending.signal.aborted) return { kind: 'failed', reason: PROGRAM_ENDED };
      const { code, name } = error as { code?: unknown; name: string };
      return { kind: 'failed', reason: typeof code === 'string' ? code : name };
    }
  }
}

/** A message on its way. */
interface Sent {
  readonly id: string;
  readonly message: Alert | Notice;
  readonly at: number;
}

/** A target with the queue of what is to be sent there. */
interface Lane {
  readonly target: WebhookTarget;
  readonly name: string;
  readonly limiter: Bottleneck;
}

type Outcome =
  | { readonly kind: 'delivered' }
  /** The same request will not be taken later either. */
  | { readonly kind: 'refused'; readonly reason: string; readonly retryAfterMs?: never }
  | { readonly kind: 'failed'; readonly reason: string; readonly retryAfterMs?: number };

class DeliveryError extends Error {
  readonly outcome: Exclude<Outcome, { readonly kind: 'delivered' }>;

  constructor(outcome: Exclude<Outcome, { readonly kind: 'delivered' }>) {
    super(outcome.reason);
    this.outcome = outcome;
  }
}

function readRetryAfter(header: string | string[] | undefined): number | undefined {
  const seconds = Number(Array.isArray(header) ? header[0] : header);
  return seconds > 0 ? Math.min(seconds * 1000, MAX_RETRY_AFTER_MS) : undefined;
}
