import { z } from 'zod';
import { parseDuration } from '../../src/text/parse-duration.ts';
import { REASONING_EFFORTS } from '../../src/workflows/reasoning.ts';
import { NAME, number, temperature, url, usd, wholeNumber } from '../../src/workflows/setting-values.ts';
import { providerProblems } from '../check-provider.ts';
import { PRESET_NAMES } from '../presets.ts';

/** `providers:` and `models:`. */

const rateFields = {
  cachedInputPerMillion: usd()
    .optional()
    .describe('USD per million input tokens read from the cache; default: as input'),
  cacheWritePerMillion: usd()
    .optional()
    .describe('USD per million input tokens written to the cache; default: as input'),
  reasoningPerMillion: usd().optional().describe('USD per million reasoning tokens; default: as output'),
};

const priceSchema = z
  .strictObject({
    inputPerMillion: usd().optional().describe('USD per million input tokens'),
    outputPerMillion: usd().optional().describe('USD per million output tokens, reasoning included'),
    ...rateFields,
    longContext: z
      .array(
        z.strictObject({
          aboveInputTokens: wholeNumber().describe('a call with more input tokens is billed at these rates as a whole'),
          inputPerMillion: usd(),
          outputPerMillion: usd(),
          ...rateFields,
        }),
      )
      .optional()
      .describe('dearer rates for long inputs'),
    discount: number()
      .pipe(z.number().positive().max(1).multipleOf(0.001))
      .optional()
      .describe(
        'what is paid of the price, e.g. 0.5 for batch or flex service; alone it applies to the price catalogue',
      ),
    stated: z
      .boolean()
      .optional()
      .describe(
        "the provider names each call's cost (usage.cost, x-litellm-response-cost), and that is booked; the rates give the hold; default false",
      ),
    maxOverrun: usd()
      .optional()
      .describe('USD held on top for each call of a model that may bill beyond its output cap; default 0'),
  })
  .superRefine(({ discount, stated: isStated, maxOverrun, ...rates }, context) => {
    const isAlone = discount !== undefined || isStated !== undefined || maxOverrun !== undefined;
    const stated = Object.keys(rates).length > 0 || !isAlone;
    for (const name of ['inputPerMillion', 'outputPerMillion'] as const) {
      if (!stated || rates[name] !== undefined) continue;
      context.addIssue({
        code: 'custom',
        path: [name],
        message: 'a price needs it; only discount, stated and maxOverrun can stand without rates',
      });
    }
  })
  .describe('USD per million tokens; default: from the price catalogue for models that it lists');

const poolLimits = {
  requestsPerMinute: wholeNumber().optional(),
  tokensPerMinute: wholeNumber().optional().describe('input and output together'),
  inputTokensPerMinute: wholeNumber().optional(),
  outputTokensPerMinute: wholeNumber().optional(),
  requestsPerDay: wholeNumber().optional(),
  tokensPerDay: wholeNumber().optional().describe('input and output together'),
  dayTimezone: z
    .string()
    .optional()
    .describe("IANA zone in which the provider's day begins, for the limits a day; default: the preset's, else UTC"),
  clusterConcurrency: wholeNumber().optional().describe('calls in flight in the whole cluster'),
};

const poolName = () =>
  z.string().regex(NAME, 'a pool name has letters, digits, - and _, at most 64, and starts with a letter or digit');

const limitsSchema = z
  .strictObject({
    ...poolLimits,
    concurrency: wholeNumber().optional().describe('calls in flight in one worker process; default 32'),
  })
  .describe("the provider's quota for this account, shared by its models and all workers");

const dataPolicySchema = z
  .strictObject({
    location: z
      .enum(['local', 'remote'])
      .default('remote')
      .describe('local: it runs on your own network, so private workflows may use it'),
    redact: z
      .union([z.boolean(), z.array(z.string()).min(1)])
      .default(false)
      .describe(
        'what it must not see: true: everything; or a list of email, phone, card, iban, ip, secret and names of redaction.patterns',
      ),
    training: z
      .boolean()
      .optional()
      .describe('whether it may train on what it is sent, as its terms say; absent: not known'),
    retentionDays: number()
      .pipe(z.number().int().min(0))
      .optional()
      .describe('how long it keeps what it is sent, 0: not at all; absent: not known'),
    region: z.string().min(1).optional().describe('where it works on documents, e.g. eu; absent: not known'),
    certificates: z.array(z.string().min(1)).optional().describe('what it is certified for, e.g. [iso27001, soc2]'),
  })
  .describe('where documents go with this provider, what is hidden from it, and what its terms promise');

const requestSchema = () =>
  z
    .record(z.string(), z.json())
    .describe(
      'further fields of each request, as the provider names them, e.g. service_tier; not those that the program writes',
    );

const command = () => z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(50)]);

const powerSchema = z
  .strictObject({
    start: command().describe('switches it on: a list is a program and its arguments, a text is read by sh -c'),
    ready: z
      .union([url(), z.array(z.string().min(1)).min(1).max(50)])
      .optional()
      .describe('it is ready when this address answers with 2xx, or this program ends with 0; default: baseUrl/models'),
    stop: command().describe('switches it off; also after a start that failed'),
    afterIdleMinutes: number()
      .pipe(z.number().min(0).max(1440))
      .default(10)
      .describe('switched off when no open batch has needed it for so long'),
  })
  .describe('a server of your own that is switched on only while open batches need it, once for the cluster');

const canarySchema = z
  .strictObject({
    every: z
      .string()
      .refine((text) => (parseDuration(text) ?? 0) >= 60_000, { error: 'must be a minute or more, such as 15m or 1h' })
      .describe('how often it is asked, once in the whole cluster; 1m at least'),
    model: z.string().optional().describe('a name under models: of this provider; default: its first one'),
  })
  .describe('three small questions with known answers, to see in time that a model has changed or fails');

export const providerSchema = z
  .strictObject({
    kind: z
      .enum(['openai', 'anthropic', 'gemini', 'local'])
      .optional()
      .describe("openai: any chat-completions server; local: the built-in model; default: the preset's"),
    preset: z
      .enum(PRESET_NAMES)
      .optional()
      .describe('fills in kind, baseUrl and what the server can do; what is written here wins over it'),
    baseUrl: url()
      .optional()
      .describe("up to and including the version, e.g. https://api.openai.com/v1; default: the preset's"),
    apiKey: z.string().optional().describe('name it as ${VARIABLE}; a key never stands in the file'),
    headers: z.record(z.string(), z.string()).optional().describe('sent with every call'),
    timeoutSeconds: number()
      .pipe(z.number().positive())
      .default(120)
      .describe('for one call, from sending to the last byte'),
    maxTokensField: z
      .enum(['max_tokens', 'max_completion_tokens'])
      .optional()
      .describe("name of the output cap; default: the preset's, else max_tokens"),
    structuredOutput: z
      .enum(['json_schema', 'json_object', 'prompt'])
      .optional()
      .describe("how the server is asked for JSON; default: the preset's, else json_schema"),
    logprobs: z
      .boolean()
      .optional()
      .describe('ask for log-probabilities, which give a better confidence; default false'),
    temperature: z
      .boolean()
      .optional()
      .describe("whether the server takes a temperature; default: the preset's, else true"),
    promptCache: z
      .enum(['markers', 'automatic', 'none'])
      .optional()
      .describe('how repeated beginnings of prompts are cached: where the request marks it, by itself, or not at all'),
    reasoning: z
      .enum(['effort', 'object', 'switch', 'thinking', 'template', 'none'])
      .optional()
      .describe("how the server is told how much to think; default: the preset's, else effort (reasoning_effort)"),
    request: requestSchema().optional(),
    limits: limitsSchema.default({}),
    pool: poolName()
      .optional()
      .describe("providers and models of one pool share one quota; default: the provider's name"),
    dataPolicy: dataPolicySchema.optional(),
    power: powerSchema.optional(),
    price: z
      .strictObject({ perHour: usd().describe('USD for an hour in which it is switched on, booked minute by minute') })
      .optional()
      .describe('what the server itself costs, beside the price of its models; only with power'),
    canary: canarySchema.optional(),
  })
  .superRefine((provider, context) => {
    for (const { setting, message } of providerProblems(provider)) {
      context.addIssue({ code: 'custom', path: [setting], message });
    }
  });

const reasoningSchema = z
  .union([
    z.enum(REASONING_EFFORTS),
    z.strictObject({
      effort: z.enum(REASONING_EFFORTS).optional(),
      budget: wholeNumber()
        .optional()
        .describe('most thinking tokens, in place of an effort; older Claude, Gemini 2.5, OpenRouter'),
      tokens: number()
        .pipe(z.number().int().min(0))
        .optional()
        .describe(
          'room for thinking in the output cap of each call; default: the budget, else none 0, minimal 512, low 2048, medium 8192, high 24576, xhigh 49152, max 65536',
        ),
    }),
  ])
  .describe('how much it thinks before it answers; not sent unless set, and the output caps then have no room for it');

export const modelSchema = z.strictObject({
  provider: z.string(),
  id: z.string().min(1).describe("the provider's name of the model, with its version"),
  contextTokens: wholeNumber()
    .optional()
    .describe("input and output together; default: the price catalogue's, where it lists the model, else 32768"),
  maxOutputTokens: wholeNumber()
    .optional()
    .describe(
      "of one reply, its thinking included; default: the price catalogue's, else 4096, or half of a smaller window",
    ),
  temperature: temperature().optional().describe('not sent unless set'),
  reasoning: reasoningSchema.optional(),
  price: priceSchema.optional(),
  request: requestSchema().optional(),
  limits: z.strictObject(poolLimits).optional().describe('a quota of its own, not shared with the provider'),
  pool: poolName()
    .optional()
    .describe("the quota it shares; default: its own where it has limits, else its provider's"),
  allowAlias: z.boolean().default(false).describe('allow an id that the provider may point at another model tomorrow'),
});
