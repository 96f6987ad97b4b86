import { z } from 'zod';
import { readRetentionTime, resolveRetention } from '../src/store/retention.ts';
import { NAME, named, number, url, usd, wholeNumber } from '../src/workflows/setting-values.ts';
import { modelSchema, providerSchema } from './schema/provider.ts';
import { redisSchema } from './schema/redis.ts';
import { workflowSchema } from './schema/workflow.ts';

/**
 * The configuration file as people write it. Every setting's meaning, unit and default stands here and in `schema/`; `npm run check`
 * keeps the published JSON Schema (`docs/config.schema.json`) equal to it. Unknown keys are errors, so a typing
 * mistake never silently means "default".
 */

/** URLs and tokens may be empty: `${NAME:-}` of a variable that is not set turns a webhook off. No message shows them. */
const secretUrl = () =>
  z.string().refine((value) => value === '' || (URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)), {
    error: 'must be an http:// or https:// URL; it is not shown because it is a secret',
  });

const webhookSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('generic').describe('a JSON object with the amounts'),
    url: secretUrl().describe('a secret: name it as ${VARIABLE}'),
    secret: z
      .string()
      .optional()
      .describe('signs what is sent, as Standard Webhooks has it (whsec_…); a secret: name it as ${VARIABLE}'),
  }),
  z.strictObject({
    kind: z.enum(['slack', 'discord']),
    url: secretUrl().describe('a secret: name it as ${VARIABLE}'),
  }),
  z.strictObject({
    kind: z.literal('exec').describe('a program of this machine that gets the JSON object on its standard input'),
    command: z.array(z.string().min(1)).min(1).max(50).describe('program and arguments; no shell reads them'),
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

const age = (what: string) =>
  z
    .string()
    .refine((text) => readRetentionTime(text) !== undefined, { error: 'must be hours or days such as 12h or 30d' })
    .optional()
    .describe(what);

export const configSchema = z.strictObject({
  redis: redisSchema,
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
  proxy: z
    .union([
      z.literal(false),
      z.string(),
      z.strictObject({
        url: z.string(),
        noProxy: z.array(z.string().min(1)).default([]).describe('hosts and domains that are reached directly'),
      }),
    ])
    .optional()
    .describe(
      'http://host:port on the way to providers, webhooks and S3; false: none; default: HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the environment. A password: name it as ${VARIABLE}',
    ),
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
  tenants: named(
    z
      .strictObject({ budget: z.strictObject({ day: usd().optional() }).default({}) })
      .nullish()
      .transform((tenant) => tenant ?? { budget: {} }),
  ).default({}),
  allowUnknownTenants: z
    .boolean()
    .default(false)
    .describe('Batches may name a tenant that is not under tenants. Where none is there, any may be named.'),
  timezone: z.string().default('UTC').describe('where the days and months of the global and tenant budgets begin'),
  alerts: z
    .strictObject({
      webhooks: z.array(webhookSchema).max(20).default([]),
      summary: z
        .string()
        .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as "07:00"')
        .optional()
        .describe('when they get one summary of the last 24 hours, a time of day in timezone; absent: none'),
    })
    .prefault({})
    .describe('who is told of limits, costs that drift, batches that end or pause; the log always is'),
  retention: z
    .strictObject({
      results: age('rows of a batch after its end; its manifest stays'),
      inputs: age('documents of a batch after its end; it can be retried until then'),
      cache: age('replies of the answer cache'),
      uploads: age('files of the OpenAI-compatible endpoint'),
      audit: age('entries of the audit log'),
      batches: age('everything of a batch after its end'),
      evaluations: age('scores of evaluations and what gates remember of them; the newest of each workflow stays'),
      books: age('records of what was booked outside batches: probes of providers, the time of self-hosted servers'),
    })
    .default({})
    .transform(resolveRetention)
    .describe(
      'how long things are kept; what is not named is kept for good, and so is what has not ended or is kept by a person',
    ),
  ingest: z
    .strictObject({
      maxLineBytes: wholeNumber()
        .default(64 * 1024 * 1024)
        .describe('a longer input line or file is refused'),
      sliceDocuments: wholeNumber(10_000)
        .default(64)
        .describe('most documents in one slice; larger ones cost less each, smaller ones are shared more evenly'),
      sliceTokens: wholeNumber().default(100_000).describe('most tokens in one slice; one document may be larger'),
      threads: wholeNumber(256)
        .optional()
        .describe('web pages, PDFs and e-mails parsed at once, each in a thread of its own; default: as many as cores'),
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
      longestWaitSeconds: number()
        .pipe(z.number().min(0).max(86_400))
        .default(900)
        .describe(
          'the longest wait a provider may name that run sits out; for a longer one it ends and can be repeated',
        ),
    })
    .prefault({}),
});

export type RawConfig = z.output<typeof configSchema>;
