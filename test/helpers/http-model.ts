import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { priceCall, type TokenPrice } from '../../src/money/price.ts';

/** Rates of the models in the documented sample config, in nano-dollars per million tokens. */
export const MODEL_PRICES: Readonly<Record<string, TokenPrice>> = {
  'small-2026-01-01': {
    inputPerMillion: 150_000_000,
    cachedInputPerMillion: 75_000_000,
    outputPerMillion: 600_000_000,
  },
  'large-2026-01-01': {
    inputPerMillion: 2_500_000_000,
    cachedInputPerMillion: 2_500_000_000,
    outputPerMillion: 10_000_000_000,
  },
};

interface ChatBody {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly max_tokens: number;
  readonly response_format?: {
    readonly json_schema?: {
      readonly name: string;
      readonly schema: { readonly properties: Readonly<Record<string, { readonly enum?: readonly string[] }>> };
    };
  };
}

export interface ModelCall {
  readonly body: ChatBody;
  /** Of the raw body: equal requests have equal hashes. */
  readonly hash: string;
  /** The first message of the user: the document with what surrounds it. */
  readonly document: string;
  readonly authorization: string | undefined;
  /** What this call costs; 0 until its reply has left. */
  costNano: number;
  state: 'waiting' | 'answered' | 'lost';
}

export type ModelAnswer =
  | { readonly content: string; readonly finish?: string }
  | {
      readonly status: number;
      readonly error: Readonly<Record<string, unknown>>;
      readonly headers?: Readonly<Record<string, string>>;
    };

/** A chat-completions server that counts every request and prices every reply. */
export class HttpModel implements AsyncDisposable {
  readonly url: string;
  readonly calls: ModelCall[] = [];
  /** Requests of any other kind, as `METHOD path`. */
  readonly otherRequests: string[] = [];
  /** What the server says; by default a good answer. */
  answer: (call: ModelCall) => ModelAnswer = goodAnswer;
  readonly #server: ReturnType<typeof createServer>;
  readonly #listeners = new Set<() => void>();
  #answersLeft = Number.POSITIVE_INFINITY;

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
    server.on('request', (request, response) => void this.#serve(request, response));
  }

  /** @param port default: any that is free */
  static async start(port = 0): Promise<HttpModel> {
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    return new HttpModel(server);
  }

  /** From now on, this many more calls are answered; others wait for `release()`. */
  holdAfter(answers: number): void {
    this.#answersLeft = answers;
    this.#changed();
  }

  /** Answers everything that waits and whatever comes. */
  release(): void {
    this.#answersLeft = Number.POSITIVE_INFINITY;
    this.#changed();
  }

  count(state: ModelCall['state']): number {
    return this.calls.filter((call) => call.state === state).length;
  }

  /** Waits until the calls satisfy `condition`. */
  async until(condition: (model: HttpModel) => boolean): Promise<void> {
    while (!condition(this)) await new Promise<void>((resolve) => this.#listeners.add(resolve));
  }

  /** Nano-dollars of all replies that left. */
  get billNano(): number {
    return this.calls.reduce((sum, call) => sum + call.costNano, 0);
  }

  /** Requests that came again, each counted as often as it was repeated. */
  get repeats(): number {
    return this.calls.length - new Set(this.calls.map((call) => call.hash)).size;
  }

  /** As new: nothing counted, good answers to everything. */
  reset(): void {
    this.calls.length = 0;
    this.otherRequests.length = 0;
    this.answer = goodAnswer;
    this.release();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST') {
      this.otherRequests.push(`${request.method} ${request.url}`);
      const data = Object.keys(MODEL_PRICES).map((id) => ({ id, object: 'model' }));
      send(response, 200, { object: 'list', data });
      return;
    }
    const raw = await text(request);
    const body = JSON.parse(raw) as ChatBody;
    const call: ModelCall = {
      body,
      hash: createHash('sha256').update(raw).digest('hex'),
      document: body.messages.find(({ role }) => role === 'user')?.content ?? '',
      authorization: request.headers.authorization,
      costNano: 0,
      state: 'waiting',
    };
    this.calls.push(call);
    response.on('close', () => {
      if (call.state === 'waiting') call.state = 'lost';
      this.#changed();
    });
    this.#changed();
    await this.until(() => this.#answersLeft > 0 || call.state === 'lost');
    if (call.state === 'lost') return;
    this.#answersLeft -= 1;
    call.state = 'answered';
    const answer = this.answer(call);
    if ('status' in answer) {
      send(response, answer.status, { error: answer.error }, answer.headers);
      return;
    }
    const usage = { prompt_tokens: Math.ceil(raw.length / 4), completion_tokens: Math.ceil(answer.content.length / 4) };
    const price = MODEL_PRICES[body.model];
    if (price !== undefined) {
      call.costNano = priceCall(price, {
        inputTokens: usage.prompt_tokens,
        cachedInputTokens: 0,
        outputTokens: usage.completion_tokens,
        reasoningTokens: 0,
      });
    }
    send(response, 200, {
      id: `call-${this.calls.length}`,
      object: 'chat.completion',
      model: body.model,
      choices: [
        { index: 0, message: { role: 'assistant', content: answer.content }, finish_reason: answer.finish ?? 'stop' },
      ],
      usage: { ...usage, total_tokens: usage.prompt_tokens + usage.completion_tokens },
    });
  }

  #changed(): void {
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** A label or a summary that depends on the request alone. */
export function goodAnswer({ body, document, hash }: ModelCall): ModelAnswer {
  const schema = body.response_format?.json_schema;
  const labels = schema?.schema.properties.label?.enum;
  if (labels !== undefined) {
    const label = labels[Number.parseInt(hash.slice(0, 8), 16) % labels.length];
    return { content: JSON.stringify({ label, confidence: 0.97 }) };
  }
  const words = document
    .replace(/<[^>]*>/g, ' ')
    .trim()
    .split(/\s+/)
    .slice(0, 8);
  return { content: JSON.stringify({ summary: words.join(' ') }) };
}

function send(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}
