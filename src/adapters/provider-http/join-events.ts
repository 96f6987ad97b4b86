import { isFilledString, isRecord, parseJson } from '../../text/json-value.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * The body that an event stream would have been in one piece: of a chat completion, of Anthropic's messages, or of Gemini.
 * An error among the events is the body's error, and so is an end that never came.
 */
export function joinEvents(text: string): unknown {
  const data = text
    .split(/\r\n|\n|\r/)
    .flatMap((line) => (line.startsWith('data:') ? [line.slice('data:'.length).trim()] : []));
  const events = data.map(parseJson).filter(isRecord);
  const failed = events.find(({ error }) => isRecord(error) || isFilledString(error));
  const [first] = events;
  if (first === undefined) return undefined;
  const last = events.at(-1) ?? first;
  if (failed !== undefined) return { ...last, error: failed.error };
  if (events.some(({ candidates }) => Array.isArray(candidates))) return joinCandidates(events, last);
  if (events.some(({ type }) => type === 'message_start')) return joinMessage(events);
  return joinChoices(events, last, data.includes('[DONE]'));
}

const CUT_SHORT = { message: 'the event stream ended before the answer did' };

function joinChoices(events: readonly Json[], last: Json, isDone: boolean): unknown {
  const choices = events
    .map(({ choices }) => (Array.isArray(choices) ? (choices[0] as unknown) : undefined))
    .filter(isRecord);
  const whole = events[choices.findIndex(({ message }) => isRecord(message))];
  if (whole !== undefined) return whole;
  const deltas = choices.map(({ delta }) => delta).filter(isRecord);
  const finish = choices.map(({ finish_reason }) => finish_reason).findLast(isFilledString) ?? null;
  const usage = events.map((event) => event.usage).findLast(isRecord);
  const given = join(deltas, ({ tool_calls: calls, function_call: called }) => {
    const [call] = Array.isArray(calls) ? calls : [];
    const each: unknown = isRecord(call) ? call.function : called;
    return isRecord(each) ? each.arguments : undefined;
  });
  const logprobs = choices.flatMap(({ logprobs: each }) =>
    isRecord(each) && Array.isArray(each.content) ? each.content : [],
  );
  const message = {
    role: 'assistant',
    content: join(deltas, ({ content }) => content),
    reasoning_content: join(deltas, ({ reasoning_content, reasoning }) => reasoning_content ?? reasoning),
    ...(given === '' ? {} : { tool_calls: [{ function: { arguments: given } }] }),
  };
  const choice = {
    index: 0,
    message,
    finish_reason: finish,
    ...(logprobs.length === 0 ? {} : { logprobs: { content: logprobs } }),
  };
  return { ...last, usage, choices: [choice], ...(finish === null && !isDone ? { error: CUT_SHORT } : {}) };
}

function joinMessage(events: readonly Json[]): unknown {
  const start = events.find(({ type }) => type === 'message_start')?.message;
  const ends = events.filter(({ type }) => type === 'message_delta');
  const deltas = events.map(({ delta }) => delta).filter(isRecord);
  const usage = [
    ...(isRecord(start) && isRecord(start.usage) ? [start.usage] : []),
    ...ends.map(({ usage: each }) => each).filter(isRecord),
  ];
  const stop = ends.map(({ delta }) => (isRecord(delta) ? delta.stop_reason : undefined)).findLast(isFilledString);
  return {
    ...(isRecord(start) ? start : {}),
    type: 'message',
    content: [{ type: 'text', text: join(deltas, ({ text }) => text) }],
    stop_reason: stop ?? null,
    usage: Object.assign({}, ...usage),
    ...(stop === undefined ? { error: CUT_SHORT } : {}),
  };
}

function joinCandidates(events: readonly Json[], last: Json): unknown {
  const found = events
    .map(({ candidates }) => (Array.isArray(candidates) ? (candidates[0] as unknown) : undefined))
    .filter(isRecord);
  const parts = found.flatMap(({ content }) =>
    isRecord(content) && Array.isArray(content.parts) ? content.parts : [],
  );
  const finishReason = found.map((each) => each.finishReason).findLast(isFilledString);
  const candidate = { ...found.at(-1), content: { role: 'model', parts } };
  return { ...last, candidates: [candidate], ...(finishReason === undefined ? { error: CUT_SHORT } : {}) };
}

function join(deltas: readonly Json[], part: (delta: Json) => unknown): string {
  return deltas
    .map(part)
    .filter((each) => typeof each === 'string')
    .join('');
}
