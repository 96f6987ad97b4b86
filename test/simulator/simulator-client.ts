import { request as httpRequest } from 'node:http';
import type { SimulatorOptions } from '../../src/simulator/options.ts';

/** A model without latency or limits: 1 USD per million input tokens, 2 per million output tokens. */
export const PLAIN_MODEL = {
  price: { inputPerMillion: 1, cachedInputPerMillion: 0.5, outputPerMillion: 2 },
  contextTokens: 8192,
} as const;

export const QUICK: SimulatorOptions = { models: { plain: PLAIN_MODEL }, tokenCounting: 'bytes/4', seed: 7 };

export const LABEL_SCHEMA = {
  type: 'object',
  properties: {
    label: { type: 'string', enum: ['billing', 'bug', 'other'] },
    confidence: { type: 'number', minimum: 0, maximum: 1 },
  },
  required: ['label', 'confidence'],
  additionalProperties: false,
} as const;

export const LABEL_PROMPT =
  'Pick one label.\n- billing: Questions about invoices and refunds\n- bug: Something is broken\n- other: Anything else';

/** A classify request about `text`; `more` wins over its fields. */
export function classify(text: string, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    model: 'plain',
    messages: [
      { role: 'system', content: LABEL_PROMPT },
      { role: 'user', content: text },
    ],
    response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema: LABEL_SCHEMA } },
    max_tokens: 200,
    ...more,
  };
}

export interface Completion {
  readonly choices: readonly {
    readonly message: { readonly content: string | null; readonly refusal: string | null };
    readonly finish_reason: string;
    readonly logprobs: {
      readonly content: readonly {
        readonly token: string;
        readonly logprob: number;
        readonly top_logprobs: readonly { readonly token: string; readonly logprob: number }[];
      }[];
    } | null;
  }[];
  readonly usage: {
    readonly prompt_tokens: number;
    readonly completion_tokens: number;
    readonly total_tokens: number;
    readonly prompt_tokens_details: { readonly cached_tokens: number };
  };
}

export interface Exchange {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export async function post(
  url: string,
  body: unknown,
  options: { readonly key?: string; readonly signal?: AbortSignal; readonly path?: string } = {},
): Promise<Exchange> {
  const response = await fetch(`${url}${options.path ?? '/chat/completions'}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(options.key === undefined ? {} : { authorization: `Bearer ${options.key}` }),
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

export function completionOf(exchange: Exchange): Completion {
  if (exchange.status !== 200) throw new Error(`Expected a completion, got ${exchange.status}: ${exchange.text}`);
  return JSON.parse(exchange.text) as Completion;
}

export function contentOf(exchange: Exchange): string {
  return completionOf(exchange).choices[0]!.message.content ?? '';
}

export function errorOf(exchange: Exchange): {
  readonly code: string | null;
  readonly message: string;
  readonly type: string;
} {
  return (JSON.parse(exchange.text) as { error: { code: string | null; message: string; type: string } }).error;
}

/** `/bill`, `/stats` and so on live beside `/v1`. */
export async function control<T>(url: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(new URL(path, url), {
    method: body === undefined ? 'GET' : 'POST',
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return (await response.json()) as T;
}

/** Sends a request and resolves with the code of the error that ends its connection. */
export function connectionErrorOf(url: string, body: unknown): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(`${url}/chat/completions`, { method: 'POST', agent: false }, () =>
      reject(new Error('Expected a broken connection, got a reply')),
    );
    sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    sent.end(JSON.stringify(body));
  });
}
