import { classifyMessages } from '../prompts/classify-v1.ts';
import { countTokens } from '../tokens.ts';
import type { ClassifyWorkflow } from '../workflow.ts';
import { labelProbability } from './label-confidence.ts';
import { parseJsonReply } from './parse-json-reply.ts';
import type { Judgement, Question, ReplyText } from './task.ts';

export interface LabelAnswer {
  readonly label: string;
}

/** `{"label": "…", "confidence": 0.87}` and the white space that servers put into it. */
const JSON_FRAME_TOKENS = 32;

/** Asks for the label of one text that fits the model's window. */
export function classifyQuestion(workflow: ClassifyWorkflow, text: string): Question<LabelAnswer> {
  const labels = workflow.labels.map(({ label }) => label);
  return {
    prompt: {
      messages: classifyMessages(workflow, text),
      outputTokens: JSON_FRAME_TOKENS + longestLabelTokens(workflow),
      responseSchema: {
        name: 'classification',
        schema: {
          type: 'object',
          properties: { label: { type: 'string', enum: labels }, confidence: { type: 'number' } },
          required: ['label', 'confidence'],
          additionalProperties: false,
        },
      },
    },
    judge: (reply) => judgeLabel(reply, labels),
  };
}

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
  const { label } = value;
  if (typeof label !== 'string')
    return { kind: 'rejected', code: 'invalid_shape', detail: 'the reply has no "label" text' };
  const known = labels.find((name) => name === label) ?? labels.find((name) => fold(name) === fold(label));
  if (known === undefined) {
    return { kind: 'rejected', code: 'label_not_in_set', detail: 'the label is not one of the given labels' };
  }
  const stated = typeof value['confidence'] === 'number' ? clampToUnit(value['confidence']) : 0;
  return { kind: 'answer', value: { label: known }, confidence: labelProbability(reply, label) ?? stated };
}

function fold(label: string): string {
  return label.trim().toLowerCase();
}

function clampToUnit(value: number): number {
  return Number.isFinite(value) ? Math.min(1, Math.max(0, value)) : 0;
}

/**
 * One label for a text that was classified in parts: each part votes with its confidence, weighted by its tokens.
 * The winner's share of all votes is the confidence.
 */
export function mergeVotes(
  votes: readonly { readonly label: string; readonly confidence: number; readonly tokens: number }[],
): { readonly label: string; readonly confidence: number } {
  const shares = new Map<string, number>();
  let total = 0;
  for (const { label, confidence, tokens } of votes) {
    // A part that is sure of nothing still counts a little, so that all-zero confidences elect the majority.
    const vote = Math.max(confidence, 1e-6) * tokens;
    shares.set(label, (shares.get(label) ?? 0) + vote);
    total += tokens;
  }
  const [label, share] = [...shares].reduce((best, entry) => (entry[1] > best[1] ? entry : best), ['', -1]);
  return { label, confidence: total === 0 ? 0 : Math.min(1, share / total) };
}
