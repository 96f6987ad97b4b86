import type { Judgement, Question, ReplyText } from '../../prompts/question.ts';
import { countTokens } from '../../text/tokens.ts';
import { perWorkflow } from '../../workflows/per-workflow.ts';
import type { ClassifyWorkflow } from '../../workflows/workflow.ts';
import { parseJsonReply } from '../parse-json-reply.ts';
import { labelProbability } from './label-confidence.ts';
import { classifyMessages } from './prompt-v2.ts';

export interface LabelAnswer {
  readonly label: string;
}

/** `{"label": "…", "confidence": 0.87}` and the white space that servers put into it. */
const JSON_FRAME_TOKENS = 32;

/**
 * Asks for the label of one text that fits the model's window.
 *
 * @param part the text is a part of a longer one; `context` is what stands before it, or empty
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
  const value = parseJsonReply(reply.text);
  if (value === undefined) return { kind: 'rejected', code: 'invalid_json', detail: 'the reply is not a JSON object' };
  const { label, confidence } = value;
  if (typeof label !== 'string')
    return { kind: 'rejected', code: 'invalid_shape', detail: 'the reply has no "label" text' };
  const known = labels.find((name) => name === label) ?? labels.find((name) => fold(name) === fold(label));
  if (known === undefined) {
    return { kind: 'rejected', code: 'label_not_in_set', detail: 'the label is not one of the given labels' };
  }
  // A number outside 0 to 1 is no probability (a per cent, or what a document asked for): it must not pass a threshold.
  const stated = typeof confidence === 'number' && confidence >= 0 && confidence <= 1 ? confidence : 0;
  return { kind: 'answer', value: { label: known }, confidence: labelProbability(reply, label) ?? stated };
}

function fold(label: string): string {
  return label.trim().toLowerCase();
}
