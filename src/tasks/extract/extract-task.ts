import type { ExtractWorkflow, FieldSchema } from '../../workflows/workflow.ts';
import type { AnswerColumn, LocalOutcome, OwnColumn, Task } from '../task.ts';
import { extractDocument, extractPrompts } from './extract-document.ts';
import { extractOptions } from './options.ts';
import { EXTRACT_PROMPT_VERSION } from './prompt-v1.ts';
import { extractSetup } from './setup.ts';

/** The values of given fields from each document. */
export const extractTask = {
  options: extractOptions,
  setup: extractSetup,
  needsPaidTiers: true,
  promptVersion: EXTRACT_PROMPT_VERSION,
  prompts: extractPrompts,
  noteTokens: () => 0,
  planParts: (_, parts) => ({ combines: 0, reduces: 0, depth: 1, leastCalls: parts }),
  answer: extractDocument,
  answerLocally: async (_, __, texts) => texts.map((): LocalOutcome => NO_LOCAL_ANSWER),
  digestPart: (result) => ('fields' in result ? { text: JSON.stringify(result.fields) } : {}),
  columns: {
    answer: [{ name: 'confidence', kind: 'double' }],
    details: [
      { name: 'confidences', kind: 'json' },
      { name: 'sources', kind: 'json' },
      { name: 'partial', kind: 'json' },
    ],
  },
  fieldColumns: ({ extract }) =>
    Object.entries(extract.fields.properties).map(
      ([name, field]): OwnColumn => ({
        name,
        kind: kindOf(field),
        value: ({ fields }) => (fields as Readonly<Record<string, unknown>>)[name],
      }),
    ),
} satisfies Task<ExtractWorkflow>;

/** The config refuses the local model here; a stored batch cannot have it either. */
const NO_LOCAL_ANSWER: LocalOutcome = {
  kind: 'unsure',
  code: 'no_tier_left',
  message: 'The local model does not extract fields. Put a paid model into the cascade.',
};

const KINDS = {
  string: 'text',
  number: 'double',
  integer: 'integer',
  boolean: 'boolean',
  array: 'json',
  object: 'json',
} as const;

function kindOf({ type }: FieldSchema): AnswerColumn['kind'] {
  return KINDS[type];
}
