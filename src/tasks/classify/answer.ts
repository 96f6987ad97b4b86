import type { Judgement, Question, ReplyText } from '../../prompts/question.ts';
import { countTokens } from '../../text/tokens.ts';
import { perWorkflow } from '../../workflows/per-workflow.ts';
import type { ClassifyWorkflow } from '../../workflows/workflow.ts';
import { answerPart } from '../answer-part.ts';
import { hasJsonObject, SEVERAL_ANSWERS } from '../parse-json-reply.ts';
import { labelProbability } from './label-confidence.ts';
import { looseLabel, meantLabel } from './loose-label.ts';
import { classifyMessages } from './prompt-v2.ts';
import { labelOf, readLabel } from './read-label.ts';

export interface LabelAnswer {
  readonly label: string;
}

/** `{"label": "…", "confidence": 0.87}` and the white space that servers put into it. */
const JSON_FRAME_TOKENS = 32;

/**
 * Asks for the label of one text that fits the model's window.
 *
 * @param part the text is a part of a longer one; `context` is what comes before it, or empty
 */
export function classifyQuestion(
  workflow: ClassifyWorkflow,
  text: string,
  part?: { readonly context: string },
): Question<LabelAnswer> {
  const { labels, responseSchema } = labelsOf(workflow, '');
  return {
    prompt: {
      messages: classifyMessages(workflow, part === undefined ? 'single' : 'part', text, part?.context),
      outputTokens: JSON_FRAME_TOKENS + longestLabelTokens(workflow),
      responseSchema,
    },
    judge: (reply) => judgeLabel(reply, labels),
    ...(part === undefined ? { labelOf: ({ label }: LabelAnswer) => label } : {}),
  };
}

const labelsOf = perWorkflow((workflow: ClassifyWorkflow, _: '') => {
  const labels = workflow.labels.map(({ label }) => label);
  const schema = {
    type: 'object',
    properties: { label: { type: 'string', enum: labels }, confidence: { type: 'number' } },
    required: ['label', 'confidence'],
    additionalProperties: false,
  };
  return { labels, responseSchema: { name: 'classification', schema } };
});

const longestByWorkflow = new WeakMap<ClassifyWorkflow, number>();

function longestLabelTokens(workflow: ClassifyWorkflow): number {
  let longest = longestByWorkflow.get(workflow);
  if (longest === undefined) {
    longest = Math.max(...workflow.labels.map(({ label }) => countTokens(JSON.stringify(label))));
    longestByWorkflow.set(workflow, longest);
  }
  return longest;
}

function judgeLabel(reply: ReplyText, labels: readonly string[]): Judgement<LabelAnswer> {
  const strict = readLabel(reply);
  if (strict === 'differing') return { kind: 'rejected', code: 'invalid_shape', detail: SEVERAL_ANSWERS };
  const exact = strict === undefined ? undefined : labelOf(strict.written, labels);
  // An object that has the field says what is meant; only its text may begin with the label.
  const isSaid = exact !== undefined || (strict !== undefined && hasJsonObject(reply));
  const read = (isSaid ? undefined : looseLabel(reply, labels)) ?? strict;
  const label = exact ?? (read === undefined ? undefined : meantLabel(read.written, labels));
  if (label === undefined || read === undefined) {
    if (!hasJsonObject(reply)) return rejectedForm('invalid_json', 'the reply is not a JSON object', reply, labels);
    return read === undefined
      ? rejectedForm('invalid_shape', 'the reply has no "label" text', reply, labels)
      : { kind: 'rejected', code: 'label_not_in_set', detail: 'the label is not one of the given labels' };
  }
  const probability = labelProbability(reply, read.written);
  const confidence = probability ?? read.confidence;
  return {
    kind: 'answer',
    value: { label },
    ...(confidence === undefined ? {} : { confidence }),
    ...(reply.logprobsAsked === true && probability === undefined ? { warnings: ['confidence_stated'] as const } : {}),
  };
}

/** A reply that names one label, and one only, has the answer. */
function rejectedForm(
  code: 'invalid_json' | 'invalid_shape',
  detail: string,
  { text }: ReplyText,
  labels: readonly string[],
): Judgement<LabelAnswer> {
  const said = answerPart(text).toLowerCase();
  const isFormOnly = labels.filter((label) => said.includes(label.toLowerCase())).length === 1;
  return { kind: 'rejected', code, detail, ...(isFormOnly ? { isFormOnly } : {}) };
}
