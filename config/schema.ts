import { z } from 'zod';
import { canonicalEncoding } from '../src/domain/decode-text.ts';
import { usdToNano } from '../src/domain/money.ts';
import { REASONING_EFFORTS } from '../src/domain/reasoning.ts';
import { providerProblems } from './check-provider.ts';
import { PRESET_NAMES } from './presets.ts';

/**
 * The configuration file as people write it. Every setting's meaning, unit and default stands here; `npm run check`
 * keeps the published JSON Schema (`docs/config.schema.json`) equal to it. Unknown keys are errors, so a typing
 * mistake never silently means "default".
 */

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** `${NAME}` turns into text, so numbers are accepted as text too. */
const number = () =>
  z
    .union([
      z.number(),
      z
        .string()
        .regex(/^-?\d+(\.\d+)?$/)
        .transform(Number),
    ])
    .pipe(z.number());
const wholeNumber = (most = Number.MAX_SAFE_INTEGER) => number().pipe(z.number().int().positive().max(most));
const fraction = () => number().pipe(z.number().min(0).max(1));

/** Dollars as people write them, at most nine decimals; held as integer nano-dollars inside. */
const usd = () =>
  z.union([z.number(), z.string()]).transform((value, context) => {
    try {
      return usdToNano(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as RangeError).message });
      return z.NEVER;
    }
  });

const url = () =>
  z.string().refine((value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol), {
    error: (issue) => `must be an http:// or https:// URL; it is ${JSON.stringify(issue.input)}`,
  });

const named = <T extends z.ZodType>(value: T) =>
  z.record(
    z.string().regex(NAME, 'a name has letters, digits, - and _, at most 64, and starts with a letter or digit'),
    value,
  );

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
  })
  .superRefine(({ discount, ...rates }, context) => {
    const stated = Object.keys(rates).length > 0 || discount === undefined;
    for (const name of ['inputPerMillion', 'outputPerMillion'] as const) {
      if (!stated || rates[name] !== undefined) continue;
      context.addIssue({ code: 'custom', path: [name], message: 'a price needs it; only a discount can stand alone' });
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
  })
  .describe('where documents go with this provider, and what is hidden from it');

const providerSchema = z
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
    limits: limitsSchema.default({}),
    pool: poolName()
      .optional()
      .describe("providers and models of one pool share one quota; default: the provider's name"),
    dataPolicy: dataPolicySchema.optional(),
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
          'room for thinking in the output cap of each call; default: the budget, else none 0, minimal 512, low 2048, medium 8192, high 24576',
        ),
    }),
  ])
  .describe('how much it thinks before it answers; not sent unless set, and the output caps then have no room for it');

const modelSchema = z.strictObject({
  provider: z.string(),
  id: z.string().min(1).describe("the provider's name of the model, with its version"),
  contextTokens: wholeNumber().default(32_768).describe('input and output together'),
  maxOutputTokens: wholeNumber().default(4096).describe('of one reply, its thinking included'),
  temperature: number().pipe(z.number().min(0).max(2)).optional().describe('not sent unless set'),
  reasoning: reasoningSchema.optional(),
  price: priceSchema.optional(),
  limits: z.strictObject(poolLimits).optional().describe('a quota of its own, not shared with the provider'),
  pool: poolName()
    .optional()
    .describe("the quota it shares; default: its own where it has limits, else its provider's"),
  allowAlias: z.boolean().default(false).describe('allow an id that the provider may point at another model tomorrow'),
});

const tierSchema = z.strictObject({
  model: z.string().describe('a name under models:, or local'),
  acceptAt: fraction()
    .optional()
    .describe('least confidence at which this tier answers; without it every valid reply is accepted'),
  fallback: z
    .array(z.string())
    .max(8)
    .optional()
    .describe('names under models: that stand in, in this order, while its provider is in trouble'),
});

const budgetSchema = z.strictObject({
  batch: usd().optional().describe('USD for one batch'),
  day: usd().optional().describe('USD for all batches of this workflow in a calendar day'),
  month: usd().optional().describe('USD for all batches of this workflow in a calendar month'),
});

const scheduleSchema = z.strictObject({
  cron: z.string(),
  timezone: z.string().default('UTC'),
  input: z.string(),
});

const inputSchema = z.strictObject({
  text: z
    .string()
    .min(1)
    .optional()
    .describe('column or field with the text; default: text, in tables also content, body'),
  id: z.string().min(1).optional().describe('column or field with the id; default: id, custom_id'),
  metadata: z
    .union([z.literal('*'), z.array(z.string().min(1))])
    .optional()
    .describe('columns or fields that are copied to the results; *: all'),
  encoding: z
    .string()
    .refine((label) => canonicalEncoding(label) !== undefined, { error: 'must be an encoding such as windows-1252' })
    .optional()
    .describe('of text; default: UTF-8, or UTF-16 by its byte order mark'),
});

const checksSchema = z
  .strictObject({
    language: z.boolean().optional().describe('it is in the language asked for; default true'),
    numbers: z.boolean().optional().describe('its numbers stand in the document; default true'),
    names: z.boolean().optional().describe('its names of several words stand in the document; default false'),
    preamble: z.boolean().optional().describe('it does not talk about itself and is no refusal; default true'),
    forbidden: z
      .array(z.string().min(1).max(500))
      .max(100)
      .optional()
      .describe('what it must not have: phrases, in any case, and /patterns/ with bounded repetitions'),
  })
  .describe('what is checked in a summary besides its shape and length');

const workflowSchema = z
  .strictObject({
    task: z.enum(['classify', 'summarize']),
    labels: z
      .union([z.record(z.string().min(1), z.string()), z.array(z.string().min(1))])
      .optional()
      .describe('classify: label -> one-line description; descriptions matter, most of all to the local tier'),
    examples: z.string().optional().describe('classify: a JSONL file of {"text", "label"} lines for the local tier'),
    instructions: z.string().max(20_000).optional().describe('added to the prompt: what matters in these documents'),
    summary: z
      .strictObject({
        maxWords: wholeNumber().default(120),
        language: z.string().optional().describe("language of the summary; default: the document's"),
        provenance: z.boolean().optional().describe('rows say from which parts of the document each sentence comes'),
      })
      .optional(),
    parts: z
      .strictObject({
        maxTokens: number()
          .pipe(z.number().int().min(256))
          .optional()
          .describe('most tokens of a part; default: what fits the smallest context of the cascade'),
        overlapTokens: number()
          .pipe(z.number().int().min(0).max(4096))
          .default(0)
          .describe('tokens of the part before that each part is shown, at most a quarter of the window'),
        mayFail: number()
          .pipe(z.number().min(0).max(0.9))
          .default(0)
          .describe("share of a document's parts, by tokens, that may fail; the row lists them"),
      })
      .optional()
      .describe('how a long document is cut'),
    checks: checksSchema.optional(),
    private: z.boolean().default(false).describe('its documents only go to models that run locally'),
    cascade: z.array(tierSchema).min(1).describe('cheapest first; the last tier answers what the others pass on'),
    budget: budgetSchema.default({}),
    cache: z.boolean().default(false).describe('reuse paid replies to the very same request across batches'),
    drainAt: fraction()
      .optional()
      .describe('from this share of a limit on, the last (dearest) tier is not asked any more; rows say degraded'),
    timezone: z.string().default('UTC').describe('where its days and months begin'),
    schedule: scheduleSchema.optional(),
    input: inputSchema.optional().describe('how its documents are read, where no flag says otherwise'),
  })
  .describe('a named pipeline: task, prompt, cascade, budget');

/** URLs and tokens may be empty: `${NAME:-}` of a variable that is not set turns a webhook off. No message shows them. */
const secretUrl = () =>
  z.string().refine((value) => value === '' || (URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)), {
    error: 'must be an http:// or https:// URL; it is not shown because it is a secret',
  });

const webhookSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.enum(['generic', 'slack', 'discord']).describe('generic: a JSON object with the amounts'),
    url: secretUrl().describe('a secret: name it as ${VARIABLE}'),
  }),
  z.strictObject({
    kind: z.literal('telegram'),
    token: z
      .string()
      .regex(/^([\w:-]+)?$/, 'must be a bot token; it is not shown because it is a secret')
      .describe('a secret: name it as ${VARIABLE}'),
    chatId: z
      .union([z.string().min(1), z.number().int().transform(String)])
      .describe('the chat, group or @channel that is told'),
    baseUrl: url().default('https://api.telegram.org').describe('another Bot API server'),
  }),
]);

export const configSchema = z.strictObject({
  redis: z
    .string()
    .regex(/^(rediss?|unix):\/\//, 'must be a redis://, rediss:// or unix:// URL')
    .optional()
    .describe('absent: a private server in .nightmill/'),
  redisPrefix: z.string().regex(NAME).default('nightmill').describe('first part of every Redis key'),
  store: z
    .string()
    .regex(/^(file:|s3:\/\/)/, 'must be file:PATH or s3://bucket/prefix')
    .optional()
    .describe('absent: file:./.nightmill/store'),
  s3: z
    .strictObject({
      endpoint: url().optional(),
      region: z.string().default('us-east-1'),
      forcePathStyle: z.boolean().default(false),
      accessKeyId: z.string().optional().describe('default: the usual AWS environment variables and files'),
      secretAccessKey: z.string().optional(),
    })
    .optional(),
  providers: named(providerSchema).default({}),
  models: named(modelSchema).default({}),
  workflows: named(workflowSchema).default({}),
  redaction: z
    .strictObject({
      patterns: z
        .record(
          z.string().regex(/^[a-z][a-z0-9]{0,19}$/, 'a pattern has a name of at most 20 lower-case letters and digits'),
          z.string().min(1).max(500),
        )
        .default({})
        .describe('name -> regular expression with bounded repetitions, for data of your own such as staff numbers'),
    })
    .prefault({})
    .describe('what can be hidden from providers besides the built-in kinds'),
  budget: z
    .strictObject({ day: usd().optional(), month: usd().optional() })
    .default({})
    .describe('USD for all workflows together'),
  tenants: named(z.strictObject({ budget: z.strictObject({ day: usd().optional() }) })).default({}),
  timezone: z.string().default('UTC').describe('where the days and months of the global and tenant budgets begin'),
  alerts: z
    .strictObject({ webhooks: z.array(webhookSchema).max(20).default([]) })
    .prefault({})
    .describe('who is told at 50, 80 and 100 % of a limit and when costs drift; the log always is'),
  ingest: z
    .strictObject({
      maxLineBytes: wholeNumber()
        .default(64 * 1024 * 1024)
        .describe('a longer input line or file is refused'),
      sliceDocuments: wholeNumber(10_000).default(64).describe('most documents in one slice'),
      sliceTokens: wholeNumber().default(100_000).describe('most tokens in one slice; one document may be larger'),
    })
    .prefault({}),
  worker: z
    .strictObject({
      slices: wholeNumber(256).default(4).describe('slices worked on at once by one process'),
      lockSeconds: number()
        .pipe(z.number().min(2).max(600))
        .default(30)
        .describe('after this long without a sign of life a slice goes to another worker'),
      shutdownGraceSeconds: number()
        .pipe(z.number().min(0).max(3600))
        .default(20)
        .describe('how long calls in flight may take after the first signal'),
      maxCallAttempts: wholeNumber(20).default(5).describe('tries of one model call that fails for a passing reason'),
      providerPatienceSeconds: number()
        .pipe(z.number().min(0))
        .default(20)
        .describe('how long a provider may be out of reach before its workflows pause'),
    })
    .prefault({}),
});

export type RawConfig = z.output<typeof configSchema>;
