import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import type { AlertSink } from '../../budgets/alert-sink.ts';
import type { Alert } from '../../budgets/alerts.ts';
import type { Log } from '../../runtime/log.ts';
import { type WebhookTarget, webhookRequest } from './webhook-request.ts';

export interface WebhookSinkOptions {
  readonly targets: readonly WebhookTarget[];
  readonly log: Log;
  /** For one try, from connecting to the last byte. Default 5 s. */
  readonly timeoutMs?: number;
  /** Before the second try; each later one waits four times as long. Default 500 ms. */
  readonly backoffMs?: number;
  /** How long `close` waits for deliveries under way. Default 5 s. */
  readonly closeGraceMs?: number;
}

const TRIES = 3;
const LONGEST_RETRY_AFTER_MS = 10_000;

/**
 * Sends alerts to webhooks beside the work: every failure ends in the log. URLs and tokens are secrets, so neither they
 * nor an error's own message, which may quote them, are logged: a target is named by its kind and its place in the config.
 */
export class WebhookSink implements AlertSink {
  readonly #options: Required<WebhookSinkOptions>;
  readonly #agent: Agent;
  readonly #ending = new AbortController();
  readonly #deliveries = new Set<Promise<void>>();
  #closing: Promise<void> | undefined;

  constructor(options: WebhookSinkOptions) {
    this.#options = { timeoutMs: 5_000, backoffMs: 500, closeGraceMs: 5_000, ...options };
    this.#agent = new Agent({ connections: 2 });
  }

  send(alert: Alert, at: number): void {
    if (this.#closing !== undefined) return;
    for (const [index, target] of this.#options.targets.entries()) {
      const delivery = this.#deliver(index, target, alert, at).finally(() => this.#deliveries.delete(delivery));
      this.#deliveries.add(delivery);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const grace = setTimeout(() => this.#ending.abort(), this.#options.closeGraceMs);
    await Promise.all(this.#deliveries);
    clearTimeout(grace);
    await this.#agent.destroy();
  }

  /** Never rejects. */
  async #deliver(index: number, target: WebhookTarget, alert: Alert, at: number): Promise<void> {
    const { log, backoffMs } = this.#options;
    const fields = { webhook: `alerts.webhooks.${index}`, kind: target.kind, scope: alert.scope, level: alert.level };
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.#post(target, alert, at);
      if (outcome.kind === 'delivered') return log.debug('alert:delivered', fields);
      const isLast = attempt === TRIES || outcome.kind === 'refused' || this.#ending.signal.aborted;
      log[isLast ? 'error' : 'warn'](isLast ? 'alert:lost' : 'alert:retried', {
        ...fields,
        attempt,
        reason: outcome.reason,
      });
      if (isLast) return;
      const wait = outcome.retryAfterMs ?? backoffMs * 4 ** (attempt - 1) * (0.75 + Math.random() * 0.5);
      await delay(wait, undefined, { signal: this.#ending.signal }).catch(() => {});
    }
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
      if (this.#ending.signal.aborted) return { kind: 'failed', reason: 'the program ended' };
      const { code, name } = error as { code?: unknown; name: string };
      return { kind: 'failed', reason: typeof code === 'string' ? code : name };
    }
  }
}

type Outcome =
  | { readonly kind: 'delivered' }
  /** The same request will not be taken later either. */
  | { readonly kind: 'refused'; readonly reason: string; readonly retryAfterMs?: never }
  | { readonly kind: 'failed'; readonly reason: string; readonly retryAfterMs?: number };

function readRetryAfter(header: string | string[] | undefined): number | undefined {
  const seconds = Number(Array.isArray(header) ? header[0] : header);
  return seconds > 0 ? Math.min(seconds * 1000, LONGEST_RETRY_AFTER_MS) : undefined;
}
