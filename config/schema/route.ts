import { z } from 'zod';
import { fraction, MAX_INSTRUCTION_LENGTH, wholeNumber } from '../../src/workflows/setting-values.ts';

const rangeSchema = z
  .strictObject({ above: wholeNumber().optional(), atMost: wholeNumber().optional() })
  .refine(({ above, atMost }) => (above ?? atMost) !== undefined, { error: 'needs above, atMost or both' });

const oneOrMore = () => z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(64)]);

const ruleSchema = z.strictObject({
  tokens: rangeSchema.optional().describe("of the document's text"),
  characters: rangeSchema.optional().describe("of the document's text"),
  language: oneOrMore().optional().describe('one of these, such as de or German; a text under 100 letters has none'),
  metadata: z
    .record(z.string().min(1), oneOrMore())
    .optional()
    .describe('fields with one of these values, compared as text'),
  has: oneOrMore()
    .optional()
    .describe('the text has one of these: phrases in any case, or bounded patterns /…/i, as in checks: forbidden'),
  start: z.string().min(1).describe('the tier, by its model'),
});

/** `route:` of a workflow. */
export const routeSchema = z
  .strictObject({
    by: z.enum(['rules', 'local', 'model']).describe('who chooses: the rules, the built-in model, or another one'),
    rules: z
      .array(ruleSchema)
      .min(1)
      .max(64)
      .optional()
      .describe('by rules: the first one that holds decides; it holds where all that it names holds'),
    model: z.string().optional().describe('by model: a name under models:, asked for one word'),
    labels: z
      .union([z.record(z.string().min(1), z.string()), z.array(z.string().min(1))])
      .optional()
      .describe('by local or model: kinds of documents, kind -> one-line description'),
    examples: z.string().optional().describe('by local: a JSONL file of {"text", "label"} lines, label: a kind'),
    start: z
      .record(z.string().min(1), z.string().min(1))
      .optional()
      .describe('by local or model: kind -> the tier that it begins at, by its model'),
    acceptAt: fraction().optional().describe('by local or model: a less sure answer counts as none'),
    instructions: z.string().min(1).max(MAX_INSTRUCTION_LENGTH).optional().describe('by model: added to its prompt'),
    otherwise: z
      .string()
      .min(1)
      .optional()
      .describe('the tier, by its model, where nothing else is chosen; default: the first'),
  })
  .describe('which tier of the cascade each document begins at; the tiers before it are not asked');
