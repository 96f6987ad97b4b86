import type { CheckProblem } from '../../checks/reply-checks.ts';
import type { Judgement, Question, ReplyText } from '../../prompts/question.ts';
import { perWorkflow } from '../../workflows/per-workflow.ts';
import { type ExtractWorkflow, instructionsOf, type ObjectSchema } from '../../workflows/workflow.ts';
import { readConfidence } from '../classify/read-label.ts';
import { hasJsonObject, type JsonReply, keyOf, parseJsonReply, SEVERAL_ANSWERS } from '../parse-json-reply.ts';
import { checkFields } from './check-fields.ts';
import { fieldConfidences } from './field-confidence.ts';
import { notOccurring } from './find-value.ts';
import { leavesOf } from './paths.ts';
import { type ExtractStep, extractMessages } from './prompt-v1.ts';
import { replySchema, replyTokens } from './response-schema.ts';

export interface FieldsAnswer {
  /** All fields of the schema. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** By field; absent where no log-probabilities told. */
  readonly confidences?: Readonly<Record<string, number>>;
}

const MAX_NAMED = 5;

/**
 * Asks for the fields of one text that fits the model's window.
 *
 * @param part the text is a part of a longer one; `context` is what comes before it, or empty
 */
export function extractQuestion(
  workflow: ExtractWorkflow,
  text: string,
  part?: { readonly context: string },
): Question<FieldsAnswer> {
  const step = part === undefined ? 'single' : 'part';
  const { responseSchema, outputTokens } = formOf(workflow, step);
  return {
    prompt: { messages: extractMessages(workflow, step, text, part?.context), outputTokens, responseSchema },
    judge: (reply) => judgeFields(workflow, step, reply, `${part?.context ?? ''}\n${text}`),
    // An answer of many fields has no label, but its confidence is told.
    labelOf: () => undefined,
  };
}

const formOf = perWorkflow(({ extract }: ExtractWorkflow, step: ExtractStep) => ({
  responseSchema: { name: 'extraction', schema: replySchema(extract.fields, step === 'part') },
  outputTokens: extract.maxTokens ?? replyTokens(extract.fields),
}));

function judgeFields(
  workflow: ExtractWorkflow,
  step: ExtractStep,
  reply: ReplyText,
  source: string,
): Judgement<FieldsAnswer> {
  const { fields: schema } = workflow.extract;
  const found = findFields(reply, schema);
  if (found === 'differing') return { kind: 'rejected', code: 'invalid_shape', detail: SEVERAL_ANSWERS };
  if (found === undefined) {
    return hasJsonObject(reply)
      ? { kind: 'rejected', code: 'invalid_shape', detail: 'the reply has no "fields" object', isFormOnly: false }
      : { kind: 'rejected', code: 'invalid_json', detail: 'the reply is not a JSON object' };
  }
  const checked = checkFields(schema, found.fields, step === 'part');
  if (checked.problems.length > 0) {
    return { kind: 'rejected', code: 'invalid_field', detail: listed(checked.problems) };
  }
  const confidences = fieldConfidences(reply, Object.keys(schema.properties));
  const value = { fields: checked.fields, ...(confidences === undefined ? {} : { confidences }) };
  const doubt = findDoubt(workflow, checked.fields, source);
  if (doubt !== undefined) {
    const kept = workflow.extract.failsOnDoubt === true ? {} : { kept: { value, warnings: [doubt.code] } };
    return { kind: 'rejected', ...doubt, ...kept };
  }
  const confidence = confidences === undefined ? found.confidence : Math.min(1, ...Object.values(confidences));
  return {
    kind: 'answer',
    value,
    ...(confidence === undefined ? {} : { confidence }),
    ...(reply.logprobsAsked === true && confidences === undefined ? { warnings: ['confidence_stated'] as const } : {}),
  };
}

interface FoundFields {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly confidence?: number;
}

/** In the object that was asked for, or without it, as models answer that are not held to the schema. */
function findFields(reply: ReplyText, schema: ObjectSchema): FoundFields | 'differing' | undefined {
  const asked = parseJsonReply(reply, 'fields');
  if (asked?.kind === 'differing') return 'differing';
  const inner = asked === undefined ? undefined : asObject(asked.value);
  if (asked !== undefined && inner !== undefined) return withConfidence(inner, asked);
  const names = Object.keys(schema.properties);
  for (const name of names) {
    const bare = parseJsonReply(reply, name);
    if (bare?.kind === 'differing') return 'differing';
    // A field inside another one may have the same name, but its object has none of the others.
    if (bare !== undefined && names.filter((one) => keyOf(bare.object, one) !== undefined).length * 2 >= names.length) {
      return withConfidence(bare.object, bare);
    }
  }
  return undefined;
}

function asObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}

function withConfidence(
  fields: Readonly<Record<string, unknown>>,
  { object }: JsonReply & { readonly kind: 'found' },
): FoundFields {
  const stated = object === fields ? undefined : keyOf(object, 'confidence');
  const confidence = stated === undefined ? undefined : readConfidence(object[stated]);
  return { fields, ...(confidence === undefined ? {} : { confidence }) };
}

/** What the workflow says besides the document may stand in a value as well. */
function findDoubt(
  workflow: ExtractWorkflow,
  fields: Readonly<Record<string, unknown>>,
  source: string,
): CheckProblem | undefined {
  const { extract } = workflow;
  const { mustOccur } = extract;
  if (mustOccur === undefined) return undefined;
  const checked = [...leavesOf(extract.fields, fields)].filter(({ path }) => mustOccur.includes(path));
  const missing = notOccurring(checked, `${source}\n${instructionsOf(workflow)}`);
  if (missing.length === 0) return undefined;
  const detail = `${listed(missing.map(({ at }) => at))}: not a value that stands in the document; copy it from there, or answer null`;
  return { code: 'value_not_found', detail };
}

function listed(texts: readonly string[]): string {
  const shown = texts.slice(0, MAX_NAMED).join('; ');
  return texts.length > MAX_NAMED ? `${shown}; and ${texts.length - MAX_NAMED} more` : shown;
}
