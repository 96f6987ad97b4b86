import { Pool } from 'undici';
import type { ModelClient, ModelReply, ModelRequest } from '../../ports/model-client.ts';
import { chatCompletionBody, type MaxTokensField } from './chat-completion-body.ts';
import { type Endpoint, type EndpointOptions, resolveEndpoint } from './endpoint.ts';
import { errorOfExchange, errorOfInvalidReply, errorOfStatus } from './errors.ts';
import { exchangeHttp } from './http-exchange.ts';
import { parseChatCompletion } from './parse-chat-completion.ts';
import { keepRateLimitHeaders } from './rate-limit-headers.ts';

export interface OpenAiClientOptions extends EndpointOptions {
  /** Default `max_tokens`. */
  readonly maxTokensField?: MaxTokensField;
  /** For a whole call, from handing it over to the last byte of the reply; default 120,000. */
  readonly timeoutMs?: number;
  /** For opening a connection, TLS included; default 10,000. Checked about every half second. */
  readonly connectTimeoutMs?: number;
  /** Connections, and so calls at the same time; further calls wait for one. Default 64. */
  readonly maxConnections?: number;
  /** A longer reply is cut off; default 32 MiB. */
  readonly maxReplyBytes?: number;
}

/** A client of any server with OpenAI's chat completions. `close()` ends calls that are still under way. */
export function createOpenAiClient(options: OpenAiClientOptions): ModelClient {
  return new OpenAiClient(options);
}

class OpenAiClient implements ModelClient {
  readonly #endpoint: Endpoint;
  readonly #pool: Pool;
  readonly #maxTokensField: MaxTokensField;
  readonly #timeoutMs: number;
  readonly #maxReplyBytes: number;

  constructor(options: OpenAiClientOptions) {
    this.#endpoint = resolveEndpoint(options);
    this.#maxTokensField = options.maxTokensField ?? 'max_tokens';
    this.#timeoutMs = options.timeoutMs ?? 120_000;
    this.#maxReplyBytes = options.maxReplyBytes ?? 32 * 1024 * 1024;
    this.#pool = new Pool(this.#endpoint.origin, {
      connections: options.maxConnections ?? 64,
      // One request per connection at a time: a broken connection then leaves one call in doubt, not several.
      pipelining: 1,
      allowH2: false,
      connect: { timeout: options.connectTimeoutMs ?? 10_000 },
      // One timer per call covers both, exactly; undici's own are checked twice a second.
      headersTimeout: 0,
      bodyTimeout: 0,
      // keepAliveTimeout stays short (4 s, or the server's hint): a request on a connection that the server is
      // closing at this moment cannot be told from one that was billed and lost.
    });
  }

  async call(request: ModelRequest, signal: AbortSignal): Promise<ModelReply> {
    const startedAt = performance.now();
    const endpoint = this.#endpoint;
    const exchange = await exchangeHttp(
      this.#pool,
      {
        path: endpoint.path,
        headers: endpoint.headers,
        body: chatCompletionBody(request, this.#maxTokensField),
        timeoutMs: this.#timeoutMs,
        maxBodyBytes: this.#maxReplyBytes,
      },
      signal,
    );
    if (exchange.kind !== 'response') throw errorOfExchange(endpoint, exchange, this.#timeoutMs);
    const { status, headers, body, cutOff } = exchange;
    if (status < 200 || status > 299) throw errorOfStatus(endpoint, request.modelId, exchange);
    if (cutOff) throw errorOfInvalidReply(endpoint, exchange, `is longer than ${this.#maxReplyBytes} bytes`);
    const parsed = parseJson(body.toString());
    if (parsed === undefined) throw errorOfInvalidReply(endpoint, exchange, 'is not JSON');
    const { choice, usage, rawUsage, id } = parseChatCompletion(parsed);
    if (choice === undefined) {
      throw errorOfInvalidReply(endpoint, exchange, 'holds no chat completion', {
        ...(usage === undefined ? {} : { usage }),
        ...(id === undefined ? {} : { id }),
      });
    }

    const requestId = headers['x-request-id'] ?? id;
    return {
      ...choice,
      ...(usage === undefined ? {} : { usage }),
      ...(rawUsage === undefined ? {} : { rawUsage }),
      rateLimitHeaders: keepRateLimitHeaders(headers),
      ...(requestId === undefined ? {} : { requestId }),
      durationMs: performance.now() - startedAt,
    };
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}

/** Undefined where it is not JSON. The parser's own error is dropped: it quotes the body, which may hold a key. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
