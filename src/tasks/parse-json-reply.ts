import { isRecord, parseJson } from '../text/json-value.ts';

/**
 * The JSON object in a model's reply. Servers without structured output wrap it in prose or a code block, so the
 * outermost braces count. Returns undefined where there is none.
 */
export function parseJsonReply(text: string): Readonly<Record<string, unknown>> | undefined {
  const direct = parseObject(text);
  if (direct !== undefined) return direct;
  const start = text.indexOf('{');
  const end = text.lastIndexOf('}');
  return start === -1 || end <= start ? undefined : parseObject(text.slice(start, end + 1));
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  const value = parseJson(text);
  return isRecord(value) ? value : undefined;
}
