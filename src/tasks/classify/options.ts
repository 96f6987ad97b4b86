import { z } from 'zod';
import { knownNames } from '../../text/known-names.ts';
import type { ClassifyWorkflow, Label } from '../../workflows/workflow.ts';
import type { OptionsContext, TaskOptions } from '../task-options.ts';
import { fold } from './read-label.ts';

const shape = {
  labels: z
    .union([z.record(z.string().min(1), z.string()), z.array(z.string().min(1))])
    .optional()
    .describe('classify: label -> one-line description; descriptions matter, most of all to the local tier'),
  examples: z.string().optional().describe('classify: a JSONL file of {"text", "label"} lines for the local tier'),
  fallbackLabel: z
    .string()
    .min(1)
    .optional()
    .describe(
      'classify: the label of texts that no other fits, for the local tier; default: one that is called so, e.g. other',
    ),
};

type Raw = z.infer<z.ZodObject<typeof shape>>;

/** After so many problems a file's other lines are not read. */
const MAX_PROBLEMS = 20;

export const classifyOptions = {
  shape,
  resolve: (raw: Raw, context: OptionsContext) => {
    const labels = resolveLabels(raw.labels);
    if (labels.length < 2) {
      context.problems.push(
        `${context.at}.labels: a classify workflow needs at least two labels; it has ${labels.length}`,
      );
      return undefined;
    }
    refuseLookalikes(labels, context);
    const examples = raw.examples === undefined ? [] : readExamples(raw.examples, labels, context);
    const { fallbackLabel } = raw;
    if (fallbackLabel !== undefined && !labels.some(({ label }) => label === fallbackLabel)) {
      const known = knownNames(labels.map(({ label }) => label));
      context.problems.push(
        `${context.at}.fallbackLabel: ${JSON.stringify(fallbackLabel)} is none of the labels; ${known}`,
      );
    }
    return { task: 'classify' as const, labels, examples, ...(fallbackLabel === undefined ? {} : { fallbackLabel }) };
  },
} satisfies TaskOptions<Pick<ClassifyWorkflow, 'task' | 'labels' | 'examples' | 'fallbackLabel'>>;

function resolveLabels(raw: Raw['labels']): Label[] {
  if (raw === undefined) return [];
  if (Array.isArray(raw)) return [...new Set(raw)].map((label) => ({ label, description: label }));
  return Object.entries(raw).map(([label, description]) => ({
    label,
    description: description === '' ? label : description,
  }));
}

/** Labels that a reply cannot tell apart: they differ in case, spaces, Unicode form, marks or characters that are not seen. */
function refuseLookalikes(labels: readonly Label[], { at, problems }: OptionsContext): void {
  const seen = new Map<string, string>();
  for (const { label } of labels) {
    const folded = fold(label);
    const earlier = seen.get(folded);
    if (earlier === undefined) seen.set(folded, label);
    else {
      problems.push(
        `${at}.labels: ${shown(earlier)} and ${shown(label)} cannot be told apart in a reply, because they differ only in case, spaces, marks or characters that are not seen; rename one`,
      );
    }
  }
}

/** As JSON, with what is not seen or not ASCII's own form written out. */
function shown(label: string): string {
  return JSON.stringify(label).replace(/[\p{Cf}\p{Cc}\p{M}\p{Zs}]/gu, (character) =>
    character === ' ' ? character : `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}

function readExamples(
  name: string,
  labels: readonly Label[],
  { at: workflow, problems, readText }: OptionsContext,
): { text: string; label: string }[] {
  const at = `${workflow}.examples`;
  const file = readText(name, at);
  if (file === undefined) return [];
  const names = new Set(labels.map((label) => label.label));
  const examples: { text: string; label: string }[] = [];
  for (const [index, line] of file.text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const example = parseExample(line);
    if (example === undefined)
      problems.push(`${at}: line ${index + 1} of ${file.path} is not {"text": "...", "label": "..."}`);
    else if (!names.has(example.label)) {
      problems.push(
        `${at}: line ${index + 1} of ${file.path} has label ${JSON.stringify(example.label)}; ${knownNames([...names])}`,
      );
    } else examples.push(example);
    if (problems.length > MAX_PROBLEMS) break;
  }
  return examples;
}

function parseExample(line: string): { text: string; label: string } | undefined {
  try {
    const value = JSON.parse(line) as { text?: unknown; label?: unknown } | null;
    if (typeof value?.text === 'string' && typeof value.label === 'string')
      return { text: value.text, label: value.label };
  } catch {
    // reported by the caller with its line number
  }
  return undefined;
}
