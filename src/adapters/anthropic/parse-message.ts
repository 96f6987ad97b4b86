import type { ModelReply } from '../../providers/model-client.ts';
import { isFilledString, isRecord } from '../../text/json-value.ts';
import { errorBeside } from '../provider-http/error-beside.ts';
import type { ParsedReply } from '../provider-http/wire-format.ts';
import { parseMessageUsage } from './parse-message-usage.ts';

const FINISH: ReadonlyMap<unknown, ModelReply['finish']> = new Map<unknown, ModelReply['finish']>([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['refusal', 'refusal'],
]);

/** Reads a parsed body of any shape; never throws. */
export function parseMessage(body: unknown): ParsedReply {
  if (!isRecord(body)) return {};
  const usage = parseMessageUsage(body.usage);
  const error = errorBeside(body);
  const answer = error === undefined ? parseAnswer(body) : undefined;
  return {
    ...(answer === undefined ? {} : { answer }),
    ...(error === undefined ? {} : { error }),
    ...(usage === undefined ? {} : { usage }),
    ...(body.usage === undefined || body.usage === null ? {} : { rawUsage: body.usage }),
    ...(isFilledString(body.id) ? { id: body.id } : {}),
    ...(isFilledString(body.model) ? { model: body.model } : {}),
  };
}

function parseAnswer(body: Readonly<Record<string, unknown>>): ParsedReply['answer'] {
  if (body.type !== 'message' || !Array.isArray(body.content)) return undefined;
  const finish = FINISH.get(body.stop_reason) ?? 'other';
  // Thinking comes in blocks of its own, before the text.
  const written = body.content
    .filter((block) => isRecord(block) && block.type === 'text' && typeof block.text === 'string')
    .map((block) => block.text)
    .join('');
  // Some gateways give the answer as the input of a tool.
  const tool: unknown = body.content.find(
    (block) => isRecord(block) && block.type === 'tool_use' && isRecord(block.input),
  );
  const text = written.trim() === '' && isRecord(tool) ? JSON.stringify(tool.input) : written;
  const explanation = isRecord(body.stop_details) ? body.stop_details.explanation : undefined;
  return { text: finish === 'refusal' && text === '' && isFilledString(explanation) ? explanation : text, finish };
}
