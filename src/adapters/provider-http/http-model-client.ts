import type { Dispatcher } from 'undici';
import { nanoOfStated } from '../../money/money.ts';
import type { ModelClient, ModelReply, ModelRequest } from '../../providers/model-client.ts';
import { openPool } from '../outbound/proxy.ts';
import type { ProviderClientOptions } from './client-options.ts';
import { type Endpoint, resolveEndpoint } from './endpoint.ts';
import { errorInSuccess, errorOfExchange, errorOfInvalidReply, errorOfStatus } from './errors.ts';
import { exchangeHttp, type HttpExchangeResult } from './http-exchange.ts';
import { ModelDigests } from './model-digests.ts';
import { parseBody, unpackBody } from './parse-body.ts';
import { keepRateLimitHeaders } from './rate-limit-headers.ts';
import { readRequestId } from './request-id.ts';
import { ServerLine } from './server-line.ts';
import { SlotCount } from './slot-count.ts';
import type { WireFormat } from './wire-format.ts';

/** Parameters that one model may refuse, one after the other. */
const MAX_LESSONS = 4;
/** Gateways send long traces; undici's own limit is 16 kB, and the reply behind it was paid for. */
const MAX_HEADER_BYTES = 256 * 1024;

/** Of LiteLLM's proxy, in dollars. */
const COST_HEADER = 'x-litellm-response-cost';

/** After so many resets every call gets a connection of its own: the server closes those that are used again. */
const MAX_RESETS = 3;

/** A client of any API that answers one JSON body with another. `close()` ends calls that are still under way. */
export class HttpModelClient implements ModelClient {
  readonly #wire: WireFormat;
  readonly #endpoint: Endpoint;
  readonly #pool: Dispatcher;
  readonly #line = new ServerLine();
  readonly #slots: SlotCount;
  readonly #digests: ModelDigests;
  readonly #timeoutMs: number;
  readonly #maxReplyBytes: number;
  /** Connections that were reset after a request was sent, and before an answer. */
  #resets = 0;

  /** @throws {NightmillError} `config_invalid`, see `resolveEndpoint` */
  constructor(options: ProviderClientOptions, wire: WireFormat) {
    this.#wire = wire;
    this.#endpoint = resolveEndpoint(options, wire.headers);
    this.#timeoutMs = options.timeoutMs ?? 120_000;
    this.#maxReplyBytes = options.maxReplyBytes ?? 32 * 1024 * 1024;
    this.#pool = openPool(options.proxy, this.#endpoint.origin, {
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
    this.#digests = new ModelDigests(this.#pool, this.#endpoint);
    this.#slots = new SlotCount(this.#pool, this.#endpoint, options.isLlamaCpp ?? false);
  }

  async call(request: ModelRequest, signal: AbortSignal): Promise<ModelReply> {
    const startedAt = performance.now();
    const target = this.#endpoint.target(this.#wire.path(request.modelId));
    let sent = this.#body(request);
    let exchange = await this.#exchange(sent, target.path, signal);
    for (let lessons = 0; lessons < MAX_LESSONS && this.#hasLearned(request, sent, exchange); lessons++) {
      sent = this.#body(request);
      exchange = await this.#exchange(sent, target.path, signal);
    }
    if (exchange.kind !== 'response') throw errorOfExchange(target, exchange, this.#timeoutMs);
    const { status, headers, cutOff } = exchange;
    if (status < 200 || status > 299) throw errorOfStatus(target, request.modelId, exchange);
    if (cutOff) throw errorOfInvalidReply(target, exchange, `is longer than ${this.#maxReplyBytes} bytes`);
    const parsed = parseBody(exchange.body);
    if (parsed === undefined) throw errorOfInvalidReply(target, exchange, 'is not JSON');
    const { answer, usage, rawUsage, statedUsd, id, model, error, fingerprint: told } = this.#wire.parse(parsed);
    if (error !== undefined) throw errorInSuccess(target, request.modelId, exchange, error, usage);
    if (answer === undefined) {
      throw errorOfInvalidReply(target, exchange, `holds no ${this.#wire.replyName}`, {
        ...(usage === undefined ? {} : { usage }),
        ...(id === undefined ? {} : { id }),
      });
    }

    const requestId = readRequestId(headers) ?? id;
    const statedCost = nanoOfStated(statedUsd ?? headers[COST_HEADER]);
    const serverSlots = this.#slots.after(headers);
    const fingerprint = (await this.#digests.of(request.modelId, told)) ?? told;
    return {
      ...answer,
      ...(usage === undefined ? {} : { usage }),
      ...(rawUsage === undefined ? {} : { rawUsage }),
      ...(statedCost === undefined ? {} : { statedCost }),
      ...(model === undefined ? {} : { model }),
      ...(fingerprint === undefined ? {} : { fingerprint }),
      rateLimitHeaders: keepRateLimitHeaders(headers),
      ...(requestId === undefined ? {} : { requestId }),
      durationMs: performance.now() - startedAt,
      ...(serverSlots === undefined ? {} : { serverSlots }),
    };
  }

  /** With what the config adds, which is none of the fields that the wire format writes. */
  #body(request: ModelRequest): string {
    const body = this.#wire.body(request);
    return request.extra === undefined ? body : `${body.slice(0, -1)},${JSON.stringify(request.extra).slice(1)}`;
  }

  async #exchange(body: string, path: string, signal: AbortSignal): Promise<HttpExchangeResult> {
    const exchange = await exchangeHttp(
      this.#pool,
      this.#line,
      {
        origin: this.#endpoint.origin,
        path,
        headers: this.#endpoint.headers,
        body,
        timeoutMs: this.#timeoutMs,
        maxBodyBytes: this.#maxReplyBytes,
        reusesConnection: this.#resets < MAX_RESETS,
      },
      signal,
    );
    this.#resets = countResets(this.#resets, exchange);
    if (exchange.kind !== 'response') return exchange;
    // Errors too are compressed by gateways without being asked.
    return { ...exchange, body: unpackBody(exchange.body, exchange.headers, this.#maxReplyBytes) };
  }

  /** Whether the request would be sent in another form now: by this refusal, or by that of a call beside it. */
  #hasLearned(request: ModelRequest, sent: string, exchange: HttpExchangeResult): boolean {
    if (exchange.kind !== 'response' || (exchange.status !== 400 && exchange.status !== 422)) return false;
    if (this.#wire.learn === undefined) return false;
    // What a refusal says of a form that is given up by now is no lesson.
    if (this.#body(request) !== sent) return true;
    return this.#wire.learn(request, exchange.body.toString());
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}

const RESET_CODES: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

function countResets(resets: number, exchange: HttpExchangeResult): number {
  const code = exchange.kind === 'error' && exchange.sent && 'code' in exchange.error ? exchange.error.code : undefined;
  return RESET_CODES.has(code) ? resets + 1 : resets;
}
