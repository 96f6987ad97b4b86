import type { ChatMessage } from '../prompts/chat.ts';

/**
 * JSON of what is the same for every document of a workflow, made once: writing it again for each call would cost more
 * than the document's own part. The same text as `JSON.stringify` gives.
 */
export function messagesJson(messages: readonly ChatMessage[]): string {
  // Joined, the text would be copied here and again where it becomes a part of a longer one.
  let json = '[';
  for (const message of messages) json += (json === '[' ? '' : ',') + messageJson(message);
  return `${json}]`;
}

let latestSystem = { content: '', json: '{"role":"system","content":""}' };

function messageJson({ role, content }: ChatMessage): string {
  if (role !== 'system') return `{"role":"${role}","content":${JSON.stringify(content)}}`;
  if (latestSystem.content !== content) {
    latestSystem = { content, json: `{"role":"system","content":${JSON.stringify(content)}}` };
  }
  return latestSystem.json;
}

const schemas = new WeakMap<object, string>();

/** @param schema an object that is not changed any more */
export function schemaJson(schema: object): string {
  let json = schemas.get(schema);
  if (json === undefined) {
    json = JSON.stringify(schema);
    schemas.set(schema, json);
  }
  return json;
}
