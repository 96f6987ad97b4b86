import { describe, expect, it } from 'vitest';
import { classifyHttpFailure } from '../../src/providers/classify-http-failure.ts';
import type { ModelFailureClass } from '../../src/providers/failure.ts';

const classOf = (status: number, message: string, code?: string): ModelFailureClass =>
  classifyHttpFailure(status, JSON.stringify({ error: { message, ...(code === undefined ? {} : { code }) } }), {})
    .failure;

/** Real wordings of vendors stand in `failure.test.ts`; these are of nobody, so that the meaning is tested. */
const INVENTED: Readonly<Record<string, readonly (readonly [status: number, message: string, code?: string])[]>> = {
  context_overflow: [
    [
      400,
      'Malformed input request: #/prompt: expected maxLength: 10000, actual: 12000, please reformat it and try again.',
    ],
    [400, 'n_tokens=9000 > n_ctx=4096'],
    [400, 'El texto supera la longitud máxima permitida'],
    [400, 'La requête dépasse la longueur maximale du contexte'],
    [400, 'превышен максимальный размер контекста'],
    [400, '입력 토큰 수가 최대 길이를 초과했습니다'],
    [400, 'リクエストの入力が長すぎます'],
    [400, '输入tokens数量过多'],
    [429, 'Tokens in this request (2903) exceed the tokens per minute limit (2000)'],
    [400, 'The text does not fit in 8192 tokens'],
    [400, 'Your prompt will not fit the window of this engine'],
    [422, 'Prompt tokens (9120) surpass what the engine takes (8192)'],
    [400, 'Sorry, 12031 tokens are more than the 8000 allowed'],
    [400, 'Input overflow: 9000 > 4096'],
    [400, 'The conversation has grown beyond the window of this model'],
    [400, 'this document is too big for the selected model'],
    [400, 'Sequence of 10240 positions is longer than the cache'],
    [422, 'String should have at most 16000 characters: input'],
    [400, 'ctx exhausted', 'CONTEXT_WINDOW_EXCEEDED'],
    [400, 'Bad input', 'InputTooLong'],
    [400, 'Please shorten your input and send it again'],
    [400, 'The maximum number of input tokens is 3072'],
    [400, 'Only 4096 tokens of context are available, and the prompt has 5000'],
    [400, 'Requested 5000 tokens, limit 4096 tokens of context'],
    [400, '输入长度超出模型限制'],
    [400, '入力トークンが上限を超えました'],
    [500, 'prompt is too long: 9000 tokens'],
    [500, 'input length exceeds maximum context length'],
    [422, 'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097. Given: 9000'],
    [413, 'no'],
    [429, 'Limit 2000, Requested 2903'],
    [429, 'The request has more tokens than the context window of 8192'],
  ],
  out_of_credit: [
    [403, 'INVALID_PAYMENT_INSTRUMENT: A valid payment instrument must be provided.'],
    [403, 'Billing account for project 123 is not found'],
    [429, 'This key is limited to 1000 API calls / month'],
    [429, 'Weekly/Monthly Limit Exhausted'],
    [429, "You've hit your usage limit for this month."],
    [429, 'You exceeded your assigned quota'],
    [403, '资源包余量已用尽,请购买资源包'],
    [403, '该令牌额度已用尽'],
    [400, '크레딧이 부족합니다.'],
    [403, 'Guthaben aufgebraucht'],
    [403, 'Solde insuffisant'],
    [403, 'Недостаточно средств на счёте'],
    [403, 'Your plan does not include API access.'],
    [401, 'Insufficient credits'],
    [403, 'Account overdue'],
    [429, 'Your wallet is empty'],
    [402, 'anything'],
    [403, 'You have run out of credits, top up to go on'],
    [429, 'Prepaid balance used up'],
    [400, 'Your balance is not enough for this call'],
    [403, 'Billing is disabled for this project'],
    [429, 'This key has reached its monthly spending cap'],
    [403, 'Payment failed: the card was declined'],
    [401, 'Subscription lapsed'],
    [403, 'Your free trial has ended'],
    [429, 'Budget of team exceeded'],
    [400, 'x', 'BalanceInsufficient'],
    [403, 'There are unpaid invoices'],
    [403, '账户已欠费,请充值'],
    [429, 'No funds left on the account'],
    [412, 'Account x is suspended, possibly due to unpaid invoices'],
    [403, 'Key limit exceeded (total limit).'],
  ],
  refused_content: [
    [451, 'The content you provided or machine outputted is blocked.'],
    [400, 'The text may include personal data and was blocked'],
    [400, 'Blocked: PII_DETECTED'],
    [400, 'Prompt injection detected by the gateway'],
    [400, 'Diese Anfrage verstößt gegen unsere Richtlinien'],
    [400, '부적절한 내용이 포함되어 있습니다'],
    [400, 'コンテンツポリシーに違反しています'],
    [451, 'Blocked by guardrail no-personal-data'],
    [400, 'The prompt was flagged by our classifiers'],
    [400, 'Input violates the rules of our usage guidelines'],
    [403, 'Your text was blocked by the safety layer'],
    [422, 'Toxic input'],
    [400, 'This content is prohibited'],
    [400, 'Request denied by content rules'],
    [400, 'Guard rail hit'],
    [403, 'Request stopped by the moderation step'],
    [400, 'x', 'SafetyFilterTriggered'],
    [400, 'The message is against our acceptable use policy'],
    [400, '内容违规'],
    [400, 'The input may be harmful'],
  ],
  rate_limited: [
    [400, 'Too many tokens, please wait before trying again.', 'ThrottlingException'],
    [400, 'Open api daily request limit reached'],
    [
      429,
      'Rate limit reached on tokens per minute (TPM): Limit 6000, Used 5900, Requested 450. Need more tokens? Upgrade at https://console.example.com/settings/billing',
    ],
    [429, 'Max RPM exceeded. Please upgrade your plan or wait'],
    [400, 'Throttled'],
    [400, 'Too many concurrent calls'],
    [403, 'You send more than 5 requests per second'],
    [422, 'Slow down'],
    [400, 'QPS of this app is over its limit'],
    [400, 'request frequency is too high'],
    [429, 'You exceeded your current quota, please check your plan and billing details'],
    [429, 'Token quota per minute used up'],
    [429, ''],
  ],
  server_error: [
    [400, 'Connection error.'],
    [400, 'EngineCore encountered an issue.'],
    [400, 'CUDA error: an illegal memory access was encountered'],
    [408, 'x'],
    [409, 'x'],
    [424, 'x'],
    [425, 'x'],
    [499, 'x'],
    [400, 'The model is busy, come back in a while'],
    [400, 'Temporarily unavailable'],
    [422, 'upstream timed out'],
    [503, 'insufficient capacity'],
  ],
  bad_request: [
    [400, 'Invalid token at position 4 in JSON body'],
    [400, 'Change the parameter top_k and try again'],
    [400, 'Field required: project'],
    [400, "Unsupported parameter: 'max_tokens'"],
    [400, 'max_tokens must be at most 4096'],
    [400, 'Unexpected token < in JSON at position 0'],
    [400, 'temperature must be between 0 and 1'],
    [422, 'value is not a valid enumeration member'],
    [404, 'The model does not exist'],
    [410, 'gone'],
    [451, 'Not available in your country'],
    [400, 'The model m-2 is not a chat model'],
    [400, "Invalid value for 'response_format'"],
    [400, 'messages: roles must alternate'],
  ],
  authentication: [
    [400, 'Incorrect API key provided'],
    [400, 'Missing API key'],
    [400, 'Authentication failed'],
    [400, 'Access token invalid or no longer valid'],
    [400, 'Api key is expired'],
    [400, 'x', 'invalid_authentication'],
    [401, 'The access token has expired'],
    [403, 'This key may not use the model'],
    [403, 'Forbidden'],
    [401, 'wrong key'],
  ],
};

const rows = Object.entries(INVENTED).flatMap(([failure, list]) =>
  list.map(([status, message, code = '']) => [failure, status, message, code] as const),
);

describe('a refusal in words that nobody has seen', () => {
  it.each(rows)('is %s: %d %s %s', (failure, status, message, code) => {
    expect(classOf(status, message, code === '' ? undefined : code)).toBe(failure);
  });

  it.each([
    [400, 'The model `x-70b` has been decommissioned and is no longer supported.'],
    [400, 'x/y-2 is not a valid model ID'],
    [400, 'Invalid model: x'],
    [422, 'Unable to access model x. See the list of models.'],
    [400, "model 'x' is no longer available"],
    [400, 'unknown', 'model_decommissioned'],
    [403, 'Project `p` does not have access to model `x`', 'model_not_found'],
    [404, 'The deployment does not exist', 'DeploymentNotFound'],
  ])('is of the model itself: %d %s', (status, message, code = '') => {
    const body = JSON.stringify({ error: { message, ...(code === '' ? {} : { code }) } });
    expect(classifyHttpFailure(status, body, {})).toMatchObject({ failure: 'bad_request', refusesModel: true });
  });

  it.each([
    [400, "Unsupported parameter: 'max_tokens' is not supported with this model"],
    [400, 'The model m-2 is not a chat model'],
    [400, 'response_format: this model is not supported for json_schema'],
    [400, 'The model does not support image input'],
    [400, 'temperature must be between 0 and 1'],
  ])('is not of the model itself: %d %s', (status, message) => {
    expect(classifyHttpFailure(status, JSON.stringify({ error: { message } }), {}).refusesModel).toBeUndefined();
  });

  it('may be about the length where it has no word at all', () => {
    expect(classifyHttpFailure(400, '', {})).toMatchObject({ failure: 'bad_request', mayBeTooLong: true });
    expect(classifyHttpFailure(400, '{"error":{"message":"Bad Request"}}', {}).mayBeTooLong).toBeUndefined();
  });

  it('cannot be made by a document that the server quotes', () => {
    const quoted = 'Invalid value at contents: "Dear sirs, our account balance is exhausted and payment is overdue."';
    expect(classOf(400, quoted)).toBe('bad_request');
    expect(classOf(400, `Field required: project. ${'x '.repeat(200)} your balance is exhausted`)).toBe('bad_request');
  });

  it('is tried again where the server says so', () => {
    const classify = (status: number) =>
      classifyHttpFailure(status, '{"error":{"message":"x"}}', { 'x-should-retry': 'true' }).failure;
    expect([400, 404, 422].map(classify)).toEqual(['server_error', 'server_error', 'server_error']);
  });
});

describe('a refusal in any shape', () => {
  it('names the field that stands beside the message, and takes its bounds for no length', () => {
    const detail = [{ loc: ['body', 'temperature'], msg: 'Input should be less than or equal to 1' }];
    expect(classifyHttpFailure(422, JSON.stringify({ detail }), {})).toMatchObject({
      failure: 'bad_request',
      providerMessage: 'temperature: Input should be less than or equal to 1',
    });
  });

  it.each([
    ['{"error_code":336007,"error_msg":"the input is too long"}', 'context_overflow'],
    ['{"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}', 'out_of_credit'],
    ['{"code":"1301","msg":"sensitive content"}', 'refused_content'],
    ['{"errors":[{"message":"Too many requests"}]}', 'rate_limited'],
    ['{"detail":[{"loc":["body"],"msg":"prompt is longer than 4096 tokens"}]}', 'context_overflow'],
    ['{"detail":{"message":"prompt is longer than 4096 tokens"}}', 'context_overflow'],
    ['{"title":"Content filter","detail":"The prompt was flagged"}', 'refused_content'],
    ['{"Message":"Input is too long","__type":"ValidationException"}', 'context_overflow'],
    [
      '{"error":{"message":"Provider returned error","metadata":{"raw":"{\\"error\\":\\"insufficient credits\\"}"}}}',
      'out_of_credit',
    ],
    ['{"fault":{"faultstring":"Rate limit quota violation"}}', 'rate_limited'],
    ['{"error":"rate limited","error_description":"slow down"}', 'rate_limited'],
  ])('%s', (body, failure) => {
    expect(classifyHttpFailure(400, body, {}).failure).toBe(failure);
  });
});
