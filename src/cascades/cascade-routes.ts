import { type Route, routeTo } from '../calls/call.ts';
import type { AskVariant } from '../prompts/ask-variant.ts';
import type { Prompt, ReplyText } from '../prompts/question.ts';
import type { DocumentRedactors } from '../redaction/document-redactors.ts';
import { jsonEscaped } from '../redaction/json-escaped.ts';
import { redactPrompt } from '../redaction/redact-prompt.ts';
import type { RedactedTexts } from '../redaction/redactor.ts';
import { buildModelRequest } from '../requests/model-request.ts';
import type { Repair } from '../requests/repair-prompt.ts';
import { runInSteps } from '../runtime/run-in-steps.ts';
import type { ModelSpec } from '../workflows/workflow.ts';

/** A reply as it came, with what it takes to read it. */
export interface RejectedReply {
  readonly model: string;
  /** As the provider sent it, with placeholders. */
  readonly raw: string;
  readonly restored: string;
  /** What was wrong with it. */
  readonly detail: string;
  /** The answer is in it and only its form is wrong. */
  readonly isFormOnly: boolean;
}

export interface PreparedRoute {
  readonly route: Route;
  /** The reply with the document's own values; and placeholders in it that stand for nothing. */
  readonly restore: (reply: ReplyText) => { readonly reply: ReplyText; readonly unknown: readonly string[] };
}

type PreparedRoutes = readonly [PreparedRoute, ...PreparedRoute[]];

/**
 * A question as each of the models is asked it. Where no provider has to be kept from seeing anything there is nothing to
 * wait for, and every document has the time of each promise less.
 */
export function prepareRoutes(
  models: readonly [ModelSpec, ...ModelSpec[]],
  prompt: Prompt,
  redactors: DocumentRedactors,
  variant: AskVariant,
  rejected?: RejectedReply,
): PreparedRoutes | Promise<PreparedRoutes> {
  const [first, ...others] = models;
  if (models.every(({ redact }) => redact === undefined)) {
    const prepare = (model: ModelSpec) => prepareWhole(model, prompt, variant, rejected);
    return [prepare(first), ...others.map(prepare)];
  }
  const prepare = (model: ModelSpec) => prepareRoute(model, prompt, redactors, variant, rejected);
  return Promise.all([prepare(first), ...others.map(prepare)]);
}

/** A question as one model is asked it: without the values that its provider must not see. */
export async function prepareRoute(
  model: ModelSpec,
  prompt: Prompt,
  redactors: DocumentRedactors,
  variant: AskVariant,
  rejected?: RejectedReply,
): Promise<PreparedRoute> {
  const { redact } = model;
  if (redact === undefined) return prepareWhole(model, prompt, variant, rejected);
  const redactor = await redactors.for(redact);
  const redacted = await runInSteps(redactPrompt(prompt, redactor));
  let repair: Repair | undefined;
  if (rejected !== undefined) {
    const [restored = '', detail = ''] = redactor.redact([rejected.restored, rejected.detail]).texts;
    // What this model wrote is what it has seen; another one's reply may have been made from the whole text.
    repair = {
      reply: rejected.model === model.name ? rejected.raw : restored,
      detail,
      isFormOnly: rejected.isFormOnly,
    };
  }
  const request = buildModelRequest(model, redacted.prompt, variant, repair);
  return { route: routeTo(model, request), restore: (reply) => restoreReply(reply, redacted.restore) };
}

/** For a model whose provider may see everything. */
function prepareWhole(model: ModelSpec, prompt: Prompt, variant: AskVariant, rejected?: RejectedReply): PreparedRoute {
  const repair = rejected === undefined ? undefined : { ...rejected, reply: rejected.restored };
  const request = buildModelRequest(model, prompt, variant, repair);
  return { route: routeTo(model, request), restore: asItIs };
}

function asItIs(reply: ReplyText): ReturnType<PreparedRoute['restore']> {
  return { reply, unknown: [] };
}

function restoreReply(
  reply: ReplyText,
  restore: RedactedTexts['restore'],
): { readonly reply: ReplyText; readonly unknown: readonly string[] } {
  const { text, unknown } = restore(reply.text, jsonEscaped);
  return { reply: text === reply.text ? reply : { ...reply, text }, unknown };
}
