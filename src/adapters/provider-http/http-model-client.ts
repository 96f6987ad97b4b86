import { nanoOfStated } from '../../money/money.ts';
import type { ModelClient, ModelReply, ModelRequest } from '../../providers/model-client.ts';
import type { ProviderClientOptions } from './client-options.ts';
import { Connections } from './connections.ts';
import { type Endpoint, resolveEndpoint } from './endpoint.ts';
import { errorInSuccess, errorOfExchange, errorOfInvalidReply, errorOfStatus } from './errors.ts';
import { exchangeHttp, type HttpExchangeResult } from './http-exchange.ts';
import { ModelDigests, saysLittle } from './model-digests.ts';
import { parseBody, unpackBody } from './parse-body.ts';
import { keepRateLimitHeaders } from './rate-limit-headers.ts';
import { readRequestId } from './request-id.ts';
import { ServerLine } from './server-line.ts';
import { SlotCount } from './slot-count.ts';
import type { WireFormat } from './wire-format.ts';

/** Parameters that one model may refuse, one after the other. */
const MAX_LESSONS = 4;
/** Of LiteLLM's proxy, in dollars. */
const COST_HEADER = 'x-litellm-response-cost';

/** A client of any API that answers one JSON body with another. `close()` ends calls that are still under way. */
export class HttpModelClient implements ModelClient {
  readonly #wire: WireFormat;
  readonly #endpoint: Endpoint;
  readonly #connections: Connections;
  readonly #line = new ServerLine(() => performance.now());
  readonly #slots: SlotCount;
  readonly #digests: ModelDigests;
  readonly #timeoutMs: number;
  readonly #maxReplyBytes: number;

  /** @throws {NightmillError} `config_invalid`, see `resolveEndpoint` */
  constructor(options: ProviderClientOptions, wire: WireFormat) {
    this.#wire = wire;
    this.#endpoint = resolveEndpoint(options, wire.headers);
    this.#timeoutMs = options.timeoutMs ?? 120_000;
    this.#maxReplyBytes = options.maxReplyBytes ?? 32 * 1024 * 1024;
    this.#connections = new Connections(this.#endpoint.origin, options);
    this.#digests = new ModelDigests(this.#connections, this.#endpoint);
    this.#slots = new SlotCount(this.#connections, this.#endpoint, options.isLlamaCpp ?? false);
  }

  async call(request: ModelRequest, signal: AbortSignal): Promise<ModelReply> {
    const startedAt = performance.now();
    if (this.#wire.ready !== undefined) await this.#wire.ready();
    const target = this.#endpoint.target(this.#wire.path(request.modelId));
    let sent = this.#body(request);
    let exchange = await this.#exchange(sent, target.path, signal);
    for (
      let lessons = 0;
      lessons < MAX_LESSONS && isRefusal(exchange) && (await this.#hasLearned(request, sent, exchange));
      lessons++
    ) {
      sent = this.#body(request);
      exchange = await this.#exchange(sent, target.path, signal);
    }
    if (exchange.kind !== 'response') throw errorOfExchange(target, exchange, this.#timeoutMs);
    const { status, headers, firstByteMs, cutOff } = exchange;
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
    const fingerprint = saysLittle(told) ? ((await this.#digests.of(request.modelId)) ?? told) : told;
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
      firstByteMs,
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
      this.#connections.dispatcher,
      this.#line,
      {
        origin: this.#endpoint.origin,
        path,
        headers: this.#endpoint.headers,
        body,
        timeoutMs: this.#timeoutMs,
        maxBodyBytes: this.#maxReplyBytes,
        reusesConnection: this.#connections.areReused,
      },
      signal,
    );
    this.#connections.note(exchange);
    if (exchange.kind !== 'response') return exchange;
    // Errors too are compressed by gateways without being asked.
    return { ...exchange, body: unpackBody(exchange.body, exchange.headers, this.#maxReplyBytes) };
  }

  /** Whether the request would be sent in another form now: by this refusal, or by that of a call beside it. */
  async #hasLearned(request: ModelRequest, sent: string, { body }: HttpResponse): Promise<boolean> {
    if (this.#wire.learn === undefined) return false;
    // What a refusal says of a form that is given up by now is no lesson.
    if (this.#body(request) !== sent) return true;
    return this.#wire.learn(request, body.toString());
  }

  async close(): Promise<void> {
    await this.#connections.close();
  }
}

type HttpResponse = HttpExchangeResult & { readonly kind: 'response' };

/** It may say how the request wants to be asked. */
function isRefusal(exchange: HttpExchangeResult): exchange is HttpResponse {
  return exchange.kind === 'response' && (exchange.status === 400 || exchange.status === 422);
}
