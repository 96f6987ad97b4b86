import { describe, expect, test } from 'vitest';
import { classifyHttpFailure } from '../../src/providers/classify-http-failure.ts';
import { FAILURE_RULES, type ModelFailureClass } from '../../src/providers/failure.ts';
import { MAX_RETRY_AFTER_MS } from '../../src/providers/read-retry-wait.ts';
import { bodyText, ERROR_SAMPLES } from '../helpers/provider-errors.ts';

function classOf(status: number, body: unknown): ModelFailureClass {
  return classifyHttpFailure(status, typeof body === 'string' ? body : JSON.stringify(body), {}).failure;
}

const openAiError = (code: string | null, message = 'Something', type = 'invalid_request_error') => ({
  error: { message, type, param: null, code },
});

describe('classifyHttpFailure() by status', () => {
  test.each([
    [401, 'authentication'],
    [403, 'authentication'],
    [402, 'out_of_credit'],
    [429, 'rate_limited'],
    [408, 'server_error'],
    [500, 'server_error'],
    [502, 'server_error'],
    [503, 'server_error'],
    [504, 'server_error'],
    [529, 'server_error'],
    [413, 'context_overflow'],
    [400, 'bad_request'],
    [404, 'bad_request'],
    [405, 'bad_request'],
    [409, 'server_error'],
    [422, 'bad_request'],
    [307, 'bad_request'],
  ] as const)('classifyHttpFailure() makes %i with an empty body %s', (status, expected) => {
    expect(classOf(status, '')).toBe(expected);
    expect(classOf(status, '<html>error</html>')).toBe(expected);
  });
});

describe('classifyHttpFailure() on money', () => {
  test.each([
    ['OpenAI', 429, openAiError('insufficient_quota', 'You exceeded your current quota', 'insufficient_quota')],
    ['OpenAI, only the type', 429, openAiError(null, 'You exceeded your current quota', 'insufficient_quota')],
    ['OpenAI hard limit', 400, openAiError('billing_hard_limit_reached', 'Billing hard limit has been reached')],
    ['OpenAI inactive', 429, openAiError('billing_not_active')],
    ['Moonshot', 429, { error: { message: 'Your account is suspended', type: 'exceeded_current_quota_error' } }],
    ['DeepSeek', 402, openAiError('invalid_request_error', 'Insufficient Balance', 'unknown_error')],
    ['Moonshot without type', 429, { error: { message: 'Your account is suspended due to insufficient balance' } }],
    ['Anthropic behind a gateway', 400, { error: { message: 'Your credit balance is too low to access the API' } }],
    ['xAI', 403, { code: 'x', error: 'Your team has used all available credits or reached its limit' }],
    ['LiteLLM', 400, { error: { message: 'ExceededBudget', type: 'budget_exceeded', code: '400' } }],
  ])('classifyHttpFailure() sees that %s is out of credit', (_name, status, body) => {
    expect(classOf(status, body)).toBe('out_of_credit');
  });

  test("classifyHttpFailure() takes Gemini's per-minute limit for a rate limit although it speaks of billing", () => {
    const message = 'You exceeded your current quota, please check your plan and billing details.';
    expect(classOf(429, [{ error: { code: 429, message, status: 'RESOURCE_EXHAUSTED' } }])).toBe('rate_limited');
  });

  test('classifyHttpFailure() does not let a quoted document pause the provider', () => {
    for (const quoted of ['You have reached your specified API usage limits', 'This organization has been disabled']) {
      expect(classOf(400, { error: { message: `messages.0: invalid text: ${quoted}` } })).toBe('bad_request');
    }
    const body = { detail: [{ msg: 'field required', input: 'insufficient_quota, insufficient balance' }] };
    expect(classOf(422, { error: { message: 'The text says insufficient_quota', code: null } })).toBe('bad_request');
    expect(classifyHttpFailure(422, JSON.stringify(body), {}).providerCode).toBeUndefined();
  });
});

describe('classifyHttpFailure() on too long requests', () => {
  test.each([
    ['OpenAI', 400, openAiError('context_length_exceeded', "This model's maximum context length is 8192 tokens.")],
    [
      'Azure without code',
      400,
      openAiError(null, "This model's maximum context length is 4096 tokens. However, your messages resulted in 5000"),
    ],
    [
      'vLLM (flat body)',
      400,
      {
        object: 'error',
        message: "This model's maximum context length is 16384 tokens. However, you requested 122946 tokens",
        type: 'BadRequestError',
        param: null,
        code: 400,
      },
    ],
    [
      'vLLM',
      400,
      {
        error: {
          message:
            "You passed 31745 input tokens and requested 1024 output tokens. However, the model's context length is only 32768 tokens, resulting in a maximum input length of 31744 tokens.",
          type: 'BadRequestError',
          param: 'input_tokens',
          code: 400,
        },
      },
    ],
    ['vLLM without room', 400, { object: 'error', message: 'max_tokens must be at least 1, got -186.', code: 400 }],
    [
      'llama.cpp',
      400,
      {
        error: {
          code: 400,
          message: 'the request exceeds the available context size, try increasing it',
          type: 'exceed_context_size_error',
          n_prompt_tokens: 14429,
          n_ctx: 8192,
        },
      },
    ],
    ['older llama.cpp', 500, { error: { code: 500, message: 'x', type: 'exceed_context_size_error' } }],
    ['llama-cpp-python', 500, { error: { message: 'Requested tokens (2285) exceed context window of 2048' } }],
    ['Ollama', 400, { error: 'the input length exceeds the context length' }],
    ['DeepSeek', 400, openAiError('invalid_request_error', "This model's maximum context length is 65536 tokens.")],
    [
      'Mistral',
      400,
      {
        object: 'error',
        message:
          'Prompt contains 40015 tokens and 0 draft tokens, too large for model with 32768 maximum context length',
        type: 'invalid_request_error',
        code: '3051',
      },
    ],
    ['Groq', 400, openAiError(null, 'Please reduce the length of the messages or completion.')],
    [
      'Groq beyond the quota',
      413,
      openAiError(
        'rate_limit_exceeded',
        'Request too large for model `x` on tokens per minute (TPM): Limit 6000',
        'tokens',
      ),
    ],
    [
      'OpenAI beyond the quota',
      429,
      openAiError('rate_limit_exceeded', 'Request too large for gpt-4o on tokens per min (TPM): Limit 30000', 'tokens'),
    ],
    [
      'OpenRouter',
      400,
      {
        error: {
          message: 'Provider returned error',
          code: 400,
          metadata: { raw: '{"error":{"message":"prompt is too long: 213462 tokens > 200000 maximum"}}' },
        },
      },
    ],
    [
      'Gemini',
      400,
      [
        {
          error: { code: 400, message: 'The input token count (1196265) exceeds the maximum number of tokens allowed' },
        },
      ],
    ],
  ])('classifyHttpFailure() sees that the context of %s overflowed', (_name, status, body) => {
    expect(classOf(status, body)).toBe('context_overflow');
  });

  test('classifyHttpFailure() takes an output cap above what the model can write for a bad request', () => {
    const message = 'max_tokens is too large: 5000. This model supports at most 4096 completion tokens';
    expect(classOf(400, openAiError(null, message))).toBe('bad_request');
  });

  test('classifyHttpFailure() does not split for a 503 whatever its text', () => {
    expect(classOf(503, { error: 'maximum context length is 5' })).toBe('server_error');
  });
});

describe('classifyHttpFailure() on refused content', () => {
  test.each([
    ['OpenAI', 400, openAiError('content_policy_violation')],
    ['Azure', 400, openAiError('content_filter')],
    [
      'Azure by its inner code',
      400,
      { error: { message: 'x', code: '400', innererror: { code: 'ResponsibleAIPolicyViolation' } } },
    ],
    [
      'OpenAI by its text',
      400,
      openAiError('invalid_prompt', 'Your prompt was flagged as potentially violating our policy'),
    ],
    ['DeepSeek', 400, openAiError('invalid_request_error', 'Content Exists Risk')],
    ['xAI', 403, { code: 'x', error: 'Content violates usage guidelines. Failed check: x' }],
    [
      'OpenRouter',
      403,
      { error: { code: 403, message: 'X requires moderation on OpenAI. your input was flagged for "y"' } },
    ],
  ])('classifyHttpFailure() sees that %s refused the text', (_name, status, body) => {
    expect(classOf(status, body)).toBe('refused_content');
  });
});

describe('classifyHttpFailure() on answers as they come over the wire', () => {
  test.each(ERROR_SAMPLES)('classifyHttpFailure() reads $api, $name, HTTP $status as $failure', (sample) => {
    const found = classifyHttpFailure(sample.status, bodyText(sample), sample.headers);
    expect(found.failure).toBe(sample.failure);
    expect(found.providerCode).toBe(sample.providerCode);
    expect(found.retryAfterMs).toBe(sample.retryAfterMs);
  });

  test('the samples have every class that a status can mean, for each API', () => {
    for (const api of ['openai', 'anthropic', 'gemini']) {
      const classes = new Set(ERROR_SAMPLES.filter((sample) => sample.api === api).map(({ failure }) => failure));
      const common = [
        'authentication',
        'bad_request',
        'context_overflow',
        'out_of_credit',
        'rate_limited',
        'server_error',
      ];
      expect([...classes].filter((name) => name !== 'refused_content').sort()).toEqual(common);
    }
  });
});

test('classifyHttpFailure() sees a bad key in a 400', () => {
  expect(classOf(400, [{ error: { code: 400, message: 'API key not valid. Please pass a valid API key.' } }])).toBe(
    'authentication',
  );
  expect(classOf(400, openAiError('invalid_api_key'))).toBe('authentication');
});

describe('classifyHttpFailure() on limits that are used up', () => {
  const used = { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '2.5s' };

  test.each([
    ['the reset of the limit of which nothing is left', 429, used, 2500],
    [
      'the latest of two',
      429,
      { ...used, 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '9s' },
      9000,
    ],
    [
      'not that of a limit with something left',
      429,
      { ...used, 'x-ratelimit-remaining-tokens': '1', 'x-ratelimit-reset-tokens': '9s' },
      2500,
    ],
    ['Retry-After before it', 429, { ...used, 'retry-after': '1' }, 1000],
    ['at most an hour of it', 429, { ...used, 'x-ratelimit-reset-requests': '23h' }, MAX_RETRY_AFTER_MS],
    ['nothing for another status', 503, used, undefined],
    ['nothing without a reset', 429, { 'x-ratelimit-remaining-requests': '0' }, undefined],
  ] as const)('classifyHttpFailure() waits for %s', (_name, status, headers, expected) => {
    expect(classifyHttpFailure(status, '', headers).retryAfterMs).toBe(expected);
  });

  test('classifyHttpFailure() measures a reset in time by the clock of the caller where the provider tells none', () => {
    const headers = {
      'anthropic-ratelimit-requests-remaining': '0',
      'anthropic-ratelimit-requests-reset': '2026-11-22T02:00:30Z',
    };
    expect(classifyHttpFailure(429, '', headers, Date.parse('2026-11-22T02:00:00Z')).retryAfterMs).toBe(30_000);
    expect(classifyHttpFailure(429, '', headers).retryAfterMs).toBeUndefined();
  });

  test.each(['soon', '-5s', 31, null, '9'.repeat(400)])(
    'classifyHttpFailure() drops the retryDelay %j',
    (retryDelay) => {
      const body = JSON.stringify({ error: { code: 429, details: [{ retryDelay }, null, 'x'] } });
      expect(classifyHttpFailure(429, body, {}).retryAfterMs).toBeUndefined();
    },
  );
});

describe('classifyHttpFailure() on waits', () => {
  const waitOf = (headers: Record<string, string>, nowMs?: number) =>
    classifyHttpFailure(429, '', headers, nowMs).retryAfterMs;
  const date = 'Wed, 21 Oct 2026 07:28:00 GMT';
  const thirtyLater = 'Wed, 21 Oct 2026 07:28:30 GMT';

  test.each([
    [{ 'retry-after': '7' }, 7000],
    [{ 'retry-after': '0.25' }, 250],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after-ms': '123.4', 'retry-after': '9' }, 124],
    [{ 'retry-after-ms': 'soon', 'retry-after': '9' }, 9000],
    [{ 'retry-after': thirtyLater, date }, 30_000],
    [{ 'retry-after': date, date: thirtyLater }, 0],
    [{ 'retry-after': '999999999' }, MAX_RETRY_AFTER_MS],
    [{ 'retry-after': '-5' }, undefined],
    [{ 'retry-after': 'later', date }, undefined],
    [{ 'retry-after': '' }, undefined],
    [{}, undefined],
  ] as const)('classifyHttpFailure() reads %j as %s ms', (headers, expected) => {
    expect(waitOf(headers)).toBe(expected);
  });

  test('classifyHttpFailure() measures a date without a date header against the given time', () => {
    expect(waitOf({ 'retry-after': thirtyLater }, Date.parse(date))).toBe(30_000);
    expect(waitOf({ 'retry-after': thirtyLater })).toBeUndefined();
  });

  test('classifyHttpFailure() keeps the wait of a server error', () => {
    expect(classifyHttpFailure(503, '', { 'retry-after': '3' })).toMatchObject({
      failure: 'server_error',
      retryAfterMs: 3000,
    });
  });
});

test('classifyHttpFailure() keeps the code and the message of the provider', () => {
  const body = JSON.stringify(openAiError('model_not_found', 'The model does not exist'));
  expect(classifyHttpFailure(404, body, {})).toEqual({
    failure: 'bad_request',
    providerCode: 'model_not_found',
    providerMessage: 'The model does not exist',
    refusesModel: true,
  });
});

test('classifyHttpFailure() answers for every status and odd body', () => {
  for (let status = 300; status < 600; status += 1) {
    for (const body of ['', 'null', '[]', '[null]', '"text"', '{"error":null}', '{"error":{"message":5,"code":{}}}']) {
      expect(Object.hasOwn(FAILURE_RULES, classOf(status, body))).toBe(true);
    }
  }
});
