import { z } from 'zod';
import { HTML_READINGS, PDF_PAGES_WITHOUT_TEXT } from '../../src/documents/document-parser.ts';
import { isCsvDelimiter } from '../../src/documents/parse-csv.ts';
import { AFTERS, CATCH_UPS, OVERLAPS } from '../../src/schedules/schedule.ts';
import { TASK_NAMES, TASK_SETTINGS } from '../../src/tasks/tasks.ts';
import { canonicalEncoding } from '../../src/text/decode-text.ts';
import {
  fraction,
  MAX_INSTRUCTION_LENGTH,
  named,
  number,
  temperature,
  usd,
  wholeNumber,
} from '../../src/workflows/setting-values.ts';
import { SPREADS } from '../../src/workflows/workflow.ts';
import { routeSchema } from './route.ts';

/** `workflows:`. */

const positive = () => number().pipe(z.number().positive());

const tierSchema = z.strictObject({
  model: z
    .union([z.string(), z.array(z.string()).min(2).max(8)])
    .describe('a name under models:, or local; a list: the same model at several hosts'),
  spread: z
    .enum(SPREADS)
    .optional()
    .describe(
      'which host of a list each call goes to: where it starts soonest (quota, the default), the cheapest that is free, or the fastest as measured',
    ),
  acceptAt: z
    .union([fraction(), z.literal('calibrated')])
    .optional()
    .describe(
      'least confidence at which this tier answers, or calibrated: what nightmill calibrate has found; without it every valid reply is accepted',
    ),
  fallback: z
    .array(z.string())
    .max(8)
    .optional()
    .describe(
      'names under models: that stand in, in this order, while its provider is in trouble; local at the end: the built-in model answers then, and rows say degraded',
    ),
  instructions: z
    .string()
    .min(1)
    .max(MAX_INSTRUCTION_LENGTH)
    .optional()
    .describe('added to the prompt of this tier alone, after those of the workflow'),
  temperature: temperature().optional().describe("of this tier's models in place of their own"),
});

const candidateSchema = z
  .strictObject({
    model: z.string().optional().describe('this model alone, a name under models:, or local'),
    cascade: z.array(tierSchema).min(1).optional().describe('this cascade'),
    instructions: z
      .string()
      .max(MAX_INSTRUCTION_LENGTH)
      .optional()
      .describe("these instructions in place of the workflow's"),
    prompt: z.string().min(1).optional().describe('a text file with them, beside the config'),
    share: fraction().default(0.1).describe('share of the documents, 0 to 1, that it is asked for too'),
    mode: z
      .enum(['shadow', 'split'])
      .default('shadow')
      .describe("shadow: rows keep the answers of what is in force; split: in the share, they have the candidate's"),
    margin: number()
      .pipe(z.number().min(0).max(0.5))
      .default(0)
      .describe('it is stopped when it is right less often by more than this share of the documents'),
  })
  .describe(
    'what may take the place of the cascade or the instructions, compared on a share of the documents; stopped by itself where it is worse',
  );

const budgetSchema = z.strictObject({
  batch: usd().optional().describe('USD for one batch'),
  document: usd()
    .optional()
    .describe('USD for one document: a call that might pass it is not made, and what was answered before is kept'),
  day: usd().optional().describe('USD for all batches of this workflow in a calendar day'),
  month: usd().optional().describe('USD for all batches of this workflow in a calendar month'),
});

const scheduleSchema = z
  .strictObject({
    cron: z.string().describe('five fields: minute, hour, day, month, day of the week, by the wall clock of timezone'),
    timezone: z.string().default('UTC').describe('of the wall clock, such as Europe/Berlin'),
    input: z.string().min(1).describe('the inbox: a folder, or s3://bucket/prefix; each file in it is taken once'),
    catchUp: z
      .enum(CATCH_UPS)
      .default('latest')
      .describe('which slots run that nobody was there for: the latest one, all, or none (skip)'),
    overlap: z
      .enum(OVERLAPS)
      .default('queue')
      .describe('while an earlier batch of it is open: submit beside it (queue), or leave the slot out (skip)'),
    after: z
      .enum(AFTERS)
      .default('keep')
      .describe('what becomes of a file whose documents are stored: it stays, or it moves to archive/ in the inbox'),
  })
  .describe('when the files of an inbox become a batch by themselves');

const digestSchema = z
  .strictObject({
    by: z
      .enum(['label', 'all'])
      .optional()
      .describe('a text for each label as well, or one over all documents; default: label where the task has labels'),
    maxWords: wholeNumber(2_000)
      .pipe(z.number().min(20))
      .default(200)
      .describe('of the text over all documents; that of a label has half of them'),
  })
  .describe('one text over all documents of a batch that has completed, paid like every call, with its figures');

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
  delimiter: z
    .string()
    .refine(isCsvDelimiter, { error: 'must be one character such as "|" or ";", no letter, digit or quote' })
    .optional()
    .describe('of CSV; default: what is most frequent in the header'),
  encoding: z
    .string()
    .refine((label) => canonicalEncoding(label) !== undefined, { error: 'must be an encoding such as windows-1252' })
    .optional()
    .describe('of text; default: UTF-8, or UTF-16 by its byte order mark'),
  html: z
    .enum(HTML_READINGS)
    .optional()
    .describe('how much of a web page is read; default auto: its content, of an article that alone'),
  pdfPagesWithoutText: number()
    .pipe(z.number().min(0).max(1))
    .optional()
    .describe(`a PDF with a larger share of scanned pages is refused; default ${PDF_PAGES_WITHOUT_TEXT}`),
});

const requireSchema = z
  .strictObject({
    location: z.literal('local').optional().describe('only providers on your own network'),
    training: z.literal(false).optional().describe('only providers that do not train on what they are sent'),
    retentionDays: number()
      .pipe(z.number().int().min(0))
      .optional()
      .describe('the most days that a provider may keep it'),
    region: z
      .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
      .optional()
      .describe('only in these'),
    certificates: z.array(z.string().min(1)).optional().describe('all of these'),
  })
  .describe('what every provider of its cascade must state in its dataPolicy; what is not stated does not count');

const gateSchema = z
  .strictObject({
    golden: z.string().min(1).describe('the golden set, a file of JSON lines'),
    maxDrop: fraction().default(0).describe('how far a metric may be under its best evaluation of this set'),
    maxAgeDays: number().pipe(z.number().positive()).optional().describe('an older evaluation does not count'),
  })
  .describe('what nightmill eval must have shown before a batch is taken');

const requirementsSchema = z
  .strictObject({
    p95LatencySeconds: positive().optional().describe('of a document, from question to answer'),
    usdPerThousandDocuments: usd().optional(),
    minQuality: z
      .strictObject({ metric: z.string().min(1), value: fraction() })
      .optional()
      .describe('least value of a metric of nightmill eval, such as accuracy'),
    contextTokens: wholeNumber().optional().describe('least window of every model'),
    data: z
      .enum(['local', 'noTraining', 'any'])
      .optional()
      .describe('where documents may go: own network, providers that state training: false, anywhere'),
    format: fraction().optional().describe('least share of documents with a valid answer'),
    documentsPerNight: wholeNumber().optional().describe('what a night has to do'),
    hours: positive().optional().describe('in which the documents of a night are answered'),
    monthlyUsd: usd().optional().describe('for thirty nights'),
  })
  .refine(
    ({ hours, monthlyUsd, documentsPerNight: documents }) =>
      documents !== undefined || (hours ?? monthlyUsd) === undefined,
    {
      error: 'hours and monthlyUsd need documentsPerNight',
    },
  )
  .describe('what nightmill choose holds candidates to, and run and submit warn about');

/** What some tenants of a workflow get in place of its own; what is left out is the workflow's. */
const planSchema = z.strictObject({
  cascade: z.array(tierSchema).min(1).optional().describe("in place of the workflow's"),
  budget: z
    .strictObject({ batch: usd().optional().describe('USD for one batch') })
    .default({})
    .describe("of one batch; a tenant's day is under tenants: at the top"),
  priority: number()
    .pipe(z.number().int().min(0).max(2_000_000))
    .optional()
    .describe('of its batches where none is stated; 0 is first'),
});

const tenantSchema = planSchema.extend({
  plan: z.string().optional().describe('a name under plans:; what comes beside it wins'),
});

export const workflowSchema = z
  .strictObject({
    task: z.enum(TASK_NAMES),
    ...TASK_SETTINGS,
    instructions: z
      .string()
      .max(MAX_INSTRUCTION_LENGTH)
      .optional()
      .describe('added to the prompt: what matters in these documents'),
    prompt: z.string().min(1).optional().describe('a text file with the instructions, in place of them'),
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
    private: z.boolean().default(false).describe('its documents only go to models that run locally'),
    require: requireSchema.optional(),
    cascade: z.array(tierSchema).min(1).describe('cheapest first; the last tier answers what the others pass on'),
    budget: budgetSchema.default({}),
    requirements: requirementsSchema.optional(),
    plans: named(planSchema).default({}).describe('what several tenants share, by name'),
    tenants: named(tenantSchema)
      .default({})
      .describe('tenants whose batches have a cascade, a limit or a priority of their own'),
    cache: z.boolean().default(false).describe('reuse paid replies to the very same request across batches'),
    drainAt: fraction()
      .optional()
      .describe('from this share of a limit on, the last (dearest) tier is not asked any more; rows say degraded'),
    audit: fraction()
      .optional()
      .describe('share of the answers of tiers before the last, 0 to 1, whose document is asked of the last tier too'),
    route: routeSchema.optional(),
    candidate: candidateSchema.optional(),
    rows: z
      .strictObject({
        attempts: z
          .boolean()
          .describe('rows say what every tier has answered; default: where the cascade has two paid tiers'),
      })
      .optional()
      .describe('what result rows say besides the answer'),
    gate: gateSchema.optional(),
    timezone: z.string().default('UTC').describe('where its days and months begin'),
    schedule: scheduleSchema.optional(),
    digest: digestSchema.optional(),
    input: inputSchema.optional().describe('how its documents are read, where no flag says otherwise'),
  })
  .describe('a named pipeline: task, prompt, cascade, budget');
