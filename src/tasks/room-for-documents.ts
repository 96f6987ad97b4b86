import { countRequestTokens, inputTokenBound } from '../requests/estimate.ts';
import { buildModelRequest } from '../requests/model-request.ts';
import { LOCAL_MODEL_NAME, modelsOfTier, type WorkflowSpec } from '../workflows/workflow.ts';
import { roomFor } from './long-documents/document-windows.ts';
import { MIN_WINDOW_TOKENS } from './long-documents/smallest-window.ts';
import { taskOf } from './tasks.ts';

/**
 * What is wrong where the prompt of a workflow (labels, instructions, schema) and the longest reply fill a model's context, so that
 * every document would fail. Undefined: there is room.
 */
export function describeLackOfRoom(workflow: WorkflowSpec): string | undefined {
  const { prompts, sendsAsIs } = taskOf(workflow);
  if (sendsAsIs === true) return undefined;
  const { single } = prompts(workflow);
  for (const model of workflow.cascade.flatMap(modelsOfTier)) {
    // A cap as large as the context is refused with the model.
    if (model.name === LOCAL_MODEL_NAME || model.maxOutputTokens >= model.contextTokens) continue;
    const request = buildModelRequest(model, single, 'first');
    // Tokens are never more than bytes, and counting bytes costs a command that asks no model next to nothing.
    if (roomFor(model, request, inputTokenBound(request)) >= MIN_WINDOW_TOKENS) continue;
    const prompt = countRequestTokens(request);
    const room = roomFor(model, request, prompt);
    if (room >= MIN_WINDOW_TOKENS) continue;
    return (
      `the prompt (labels, instructions) takes ${count(prompt)} tokens and a reply up to ${count(request.maxOutputTokens)}, which leaves ` +
      `${count(Math.max(0, room))} for a document in the ${count(model.contextTokens)} of model ${model.name} (15 % stay free, because models count differently); ` +
      `at least ${MIN_WINDOW_TOKENS} are needed. Shorten labels or instructions, lower models.${model.name}.maxOutputTokens or raise its contextTokens`
    );
  }
  return undefined;
}

function count(tokens: number): string {
  return tokens.toLocaleString('en');
}
