import { z } from 'zod';
import { parseJson } from '../../text/json-value.ts';
import { knownNames } from '../../text/known-names.ts';
import { wholeNumber } from '../../workflows/setting-values.ts';
import type { ExtractWorkflow, ObjectSchema } from '../../workflows/workflow.ts';
import type { OptionsContext, TaskOptions } from '../task-options.ts';
import { pathsOf } from './paths.ts';
import { readSchema } from './read-schema.ts';

const shape = {
  extract: z
    .strictObject({
      schema: z
        .union([z.record(z.string(), z.unknown()), z.string().min(1)])
        .describe('JSON Schema of an object: the fields to be read; or the name of a JSON file with it'),
      mustOccur: z
        .union([z.literal('*'), z.array(z.string().min(1))])
        .optional()
        .describe(
          'fields whose values stand in the document, e.g. lines.description; *: all texts and numbers; default: none',
        ),
      onFail: z
        .enum(['warn', 'fail'])
        .optional()
        .describe(
          'what a value that does not occur does at the last tier: the row has it as a warning (default), or the document fails',
        ),
      provenance: z.boolean().optional().describe('rows say where in the document each value stands; default true'),
      maxTokens: wholeNumber().optional().describe('tokens that an answer may have; default: guessed from the fields'),
    })
    .optional()
    .describe('extract: what is read from each document'),
};

type Raw = z.infer<z.ZodObject<typeof shape>>;

export const extractOptions = {
  shape,
  resolve: ({ extract }: Raw, context: OptionsContext) => {
    const at = `${context.at}.extract`;
    if (extract === undefined) {
      context.problems.push(
        `${at}: an extract workflow needs extract: { schema: ... }, a JSON Schema of the fields to be read`,
      );
      return undefined;
    }
    const fields = resolveFields(extract.schema, `${at}.schema`, context);
    if (fields === undefined) return undefined;
    const mustOccur = resolveMustOccur(extract.mustOccur, fields, `${at}.mustOccur`, context.problems);
    const { maxTokens, onFail, provenance } = extract;
    return {
      task: 'extract' as const,
      extract: {
        fields,
        ...(mustOccur.length === 0 ? {} : { mustOccur }),
        ...(onFail === 'fail' ? { failsOnDoubt: true } : {}),
        ...(provenance === false ? { withoutSources: true } : {}),
        ...(maxTokens === undefined ? {} : { maxTokens }),
      },
    };
  },
} satisfies TaskOptions<Pick<ExtractWorkflow, 'task' | 'extract'>>;

function resolveFields(schema: unknown, at: string, { problems, readText }: OptionsContext): ObjectSchema | undefined {
  if (typeof schema !== 'string') return readSchema(schema, at, problems);
  const file = readText(schema, at);
  if (file === undefined) return undefined;
  const parsed = parseJson(file.text);
  if (parsed === undefined) {
    problems.push(`${at}: ${file.path} is not JSON`);
    return undefined;
  }
  return readSchema(parsed, at, problems);
}

function resolveMustOccur(
  written: '*' | readonly string[] | undefined,
  fields: ObjectSchema,
  at: string,
  problems: string[],
): readonly string[] {
  const known = pathsOf(fields);
  if (written === '*') return known.filter(({ isFree }) => isFree).map(({ path }) => path);
  const paths = known.map(({ path }) => path);
  for (const path of written ?? []) {
    if (!paths.includes(path)) problems.push(`${at}: there is no field ${JSON.stringify(path)}; ${knownNames(paths)}`);
  }
  return written ?? [];
}
