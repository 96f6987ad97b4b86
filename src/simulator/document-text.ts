import type { ChatMessage } from './chat-request.ts';

/** What a prompt says, apart: the text to work on, and everything that tells how. */
export interface PromptParts {
  readonly document: string;
  readonly instructions: string;
}

/**
 * Finds the document: the last user message, or what stands in it between its first `<tag>` and the last `</tag>` of
 * that name. The rest of the prompt is instructions, but for a block `<context…>` that the message begins with: it
 * tells where the document is and is neither.
 */
export function splitPrompt(messages: readonly ChatMessage[]): PromptParts {
  const userIndex = messages.findLastIndex((message) => message.role === 'user');
  const user = withoutContext(messages[userIndex]?.content ?? '');
  const others = messages.filter((_, index) => index !== userIndex).map((message) => message.content);
  const open = /<([a-z][\w-]*)(?:\s[^<>]*)?>/i.exec(user);
  const closeAt = open === null ? -1 : user.lastIndexOf(`</${open[1]}>`);
  if (open === null || closeAt < open.index + open[0].length) {
    return { document: user.trim(), instructions: others.join('\n') };
  }
  // A message may hold several blocks of one kind (partial summaries): the tags between them are no text.
  const document = user
    .slice(open.index + open[0].length, closeAt)
    .replaceAll(new RegExp(`</?${open[1]}(?:\\s[^<>]*)?>`, 'g'), '\n');
  return {
    document: document.trim(),
    instructions: [...others, user.slice(0, open.index), user.slice(closeAt)].join('\n'),
  };
}

function withoutContext(user: string): string {
  const tag = /^\s*<(context[\w-]*)>/i.exec(user)?.[1];
  const closeAt = tag === undefined ? -1 : user.indexOf(`</${tag}>`);
  return tag === undefined || closeAt === -1 ? user : user.slice(closeAt + tag.length + 3);
}
