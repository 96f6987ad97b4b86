import { z } from 'zod';
import { withoutUndefined } from '../../text/without-undefined.ts';
import { wholeNumber } from '../../workflows/setting-values.ts';
import type { SummarizeWorkflow } from '../../workflows/workflow.ts';
import type { OptionsContext, TaskOptions } from '../task-options.ts';
import { resolveChecks } from './resolve-checks.ts';

const shape = {
  summary: z
    .strictObject({
      maxWords: wholeNumber().default(120),
      language: z.string().optional().describe("language of the summary; default: the document's"),
      provenance: z.boolean().optional().describe('rows say from which parts of the document each sentence comes'),
    })
    .optional(),
  checks: z
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
      onFail: z
        .enum(['warn', 'fail'])
        .optional()
        .describe(
          'what a doubt about language, numbers or names does at the last tier: the row has it as a warning (default), or the document fails',
        ),
    })
    .optional()
    .describe('what is checked in a summary besides its shape and length'),
};

type Raw = z.infer<z.ZodObject<typeof shape>>;

export const summarizeOptions = {
  shape,
  resolve: (raw: Raw, { at, problems }: OptionsContext) => ({
    task: 'summarize' as const,
    checks: resolveChecks(raw.checks, `${at}.checks`, problems),
    summary: { maxWords: 120, ...withoutUndefined(raw.summary ?? {}) },
  }),
} satisfies TaskOptions<Pick<SummarizeWorkflow, 'task' | 'checks' | 'summary'>>;
