import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import { isRecord, parseJson } from '../../text/json-value.ts';

/**
 * The JSON of a reply's body, also where a server compressed it without being asked, began it with a byte order mark or
 * sent it as an event stream. Undefined: it is none.
 *
 * @param maxBytes of the unpacked body
 */
export function parseBody(body: Buffer, headers: Readonly<Record<string, string>>, maxBytes: number): unknown {
  const text = unpack(body, headers['content-encoding'] ?? '', maxBytes)
    ?.toString()
    .replace(/^\uFEFF/, '');
  if (text === undefined) return undefined;
  const parsed = parseJson(text);
  return parsed === undefined && /^\s*(?:data|event|id|:)/.test(text) ? joinEvents(text) : parsed;
}

function unpack(body: Buffer, encoding: string, maxOutputLength: number): Buffer | undefined {
  try {
    const options = { maxOutputLength };
    if (body[0] === 0x1f && body[1] === 0x8b) return gunzipSync(body, options);
    if (body.readUInt32LE(0) === 0xfd2fb528) return zstdDecompressSync(body, options);
    if (/\bbr\b/i.test(encoding)) return brotliDecompressSync(body, options);
    if (/\bdeflate\b/i.test(encoding)) return inflateSync(body, options);
  } catch {
    // The header may say what a proxy has already undone.
  }
  return body;
}

/** A chat completion that came in pieces, as one. */
function joinEvents(text: string): unknown {
  const events = text
    .split('\n')
    .filter((line) => line.startsWith('data:'))
    .map((line) => parseJson(line.slice('data:'.length).trim()))
    .filter(isRecord);
  const last = events.at(-1);
  if (last === undefined) return undefined;
  let content = '';
  let finish: unknown = null;
  let usage: unknown;
  for (const event of events) {
    const choice: unknown = Array.isArray(event.choices) ? event.choices[0] : undefined;
    if (isRecord(event.usage)) usage = event.usage;
    if (!isRecord(choice)) continue;
    if (isRecord(choice.message)) return event;
    if (isRecord(choice.delta) && typeof choice.delta.content === 'string') content += choice.delta.content;
    finish = choice.finish_reason ?? finish;
  }
  return { ...last, usage, choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: finish }] };
}
