import type { Judgement, Question, ReplyText } from '../../prompts/question.ts';
import { countTokens } from '../../text/tokens.ts';
import { perWorkflow } from '../../workflows/per-workflow.ts';
import type { ClassifyWorkflow } from '../../workflows/workflow.ts';
import { hasJsonObject } from '../parse-json-reply.ts';
import { labelProbability } from './label-confidence.ts';
import { classifyMessages } from './prompt-v2.ts';
import { labelOf, readLabel } from './read-label.ts';

export interface LabelAnswer {
  readonly label: string;
  /** The reply states no confidence that can be read. */
  readonly isUnsure?: boolean;
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
  const read = readLabel(reply);
  if (read === undefined) {
    return hasJsonObject(reply)
      ? { kind: 'rejected', code: 'invalid_shape', detail: 'the reply has no "label" text' }
      : { kind: 'rejected', code: 'invalid_json', detail: 'the reply is not a JSON object' };
  }
  const label = labelOf(read.written, labels);
  if (label === undefined) {
    const isBare = !hasJsonObject(reply);
    if (isBare) return { kind: 'rejected', code: 'invalid_json', detail: 'the reply is not a JSON object' };
    return { kind: 'rejected', code: 'label_not_in_set', detail: 'the label is not one of the given labels' };
  }
  const confidence = labelProbability(reply, read.written) ?? read.confidence;
  // Unknown is not 0, but it passes no threshold either.
  return {
    kind: 'answer',
    value: { label, ...(confidence === undefined ? { isUnsure: true } : {}) },
    confidence: confidence ?? 0,
  };
}
