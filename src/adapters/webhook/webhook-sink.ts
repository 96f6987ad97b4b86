import Bottleneck from 'bottleneck';
import { type Dispatcher, request } from 'undici';
import type { AlertSink } from '../../budgets/alert-sink.ts';
import type { Alert } from '../../budgets/alerts.ts';
import type { Log } from '../../runtime/log.ts';
import type { ProxySettings } from '../../runtime/proxy-settings.ts';
import { openAgent } from '../outbound/proxy.ts';
import { type WebhookTarget, webhookRequest } from './webhook-request.ts';

export interface WebhookSinkOptions {
  readonly targets: readonly WebhookTarget[];
  readonly log: Log;
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

const MAX_TRIES = 3;
const PROGRAM_ENDED = 'the program ended';
const MAX_RETRY_AFTER_MS = 10_000;

/**
 * Sends alerts to webhooks beside the work: every failure ends in the log. URLs and tokens are secrets, so neither they
 * nor an error's own message, which may quote them, are logged: a target is named by its kind and its place in the config. Each target is paced by itself.
 */
export class WebhookSink implements AlertSink {
  readonly #options: Required<Omit<WebhookSinkOptions, 'proxy'>>;
  readonly #agent: Dispatcher;
  readonly #ending = new AbortController();
  readonly #lanes: readonly Lane[];
  readonly #deliveries = new Set<Promise<void>>();
  #closing: Promise<void> | undefined;

  constructor(options: WebhookSinkOptions) {
    this.#options = { timeoutMs: 5_000, backoffMs: 500, closeGraceMs: 5_000, spacingMs: 1_000, ...options };
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

  send(alert: Alert, at: number): void {
    if (this.#closing !== undefined) return;
    for (const lane of this.#lanes) {
      const delivery = this.#deliver(lane, alert, at).finally(() => this.#deliveries.delete(delivery));
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
  async #deliver({ target, name, limiter }: Lane, alert: Alert, at: number): Promise<void> {
    const { log } = this.#options;
    const fields = { webhook: name, kind: target.kind, scope: alert.scope, alert: alert.level };
    let attempt = 0;
    try {
      await limiter.schedule(async () => {
        attempt += 1;
        const outcome = await this.#post(target, alert, at);
        if (outcome.kind === 'delivered') return;
        const failure = new DeliveryError(outcome);
        if (this.#retryInMs(failure, attempt - 1) !== undefined) {
          log.warn('alert:retried', { ...fields, attempt, reason: outcome.reason });
        }
        throw failure;
      });
      log.debug('alert:delivered', fields);
    } catch (error) {
      log.error('alert:lost', { ...fields, attempt, reason: error instanceof Error ? error.message : String(error) });
    }
  }

  /** Undefined: it is not tried again. */
  #retryInMs(error: unknown, retries: number): number | undefined {
    if (!(error instanceof DeliveryError) || error.outcome.kind === 'refused') return undefined;
    if (retries + 1 >= MAX_TRIES || this.#ending.signal.aborted) return undefined;
    return error.outcome.retryAfterMs ?? this.#options.backoffMs * 4 ** retries * (0.75 + Math.random() * 0.5);
  }

  async #post(target: WebhookTarget, alert: Alert, at: number): Promise<Outcome> {
    const timeout = AbortSignal.timeout(this.#options.timeoutMs);
    try {
      const { url, body } = webhookRequest(target, alert, at);
      const response = await request(url, {
        method: 'POST',
        dispatcher: this.#agent,
        headers: { 'content-type': 'application/json', 'user-agent': 'nightmill' },
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
