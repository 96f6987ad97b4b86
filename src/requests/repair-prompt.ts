import type { ChatMessage } from '../prompts/chat.ts';
import { fenceDocument } from '../prompts/fence.ts';
import type { Prompt } from '../prompts/question.ts';
import { REPAIR_OPENING } from '../prompts/repair-opening.ts';
import { schemaJson } from './repeated-json.ts';

/** What went wrong with the reply that a repair turn quotes. */
export interface Repair {
  readonly reply: string;
  readonly detail: string;
  /** The answer is in the reply and only its form is wrong: the document need not be read again. */
  readonly isFormOnly?: boolean;
}

/** Of a reply that a repair turn quotes; the shorter ones where the window has no room for the longest. */
const QUOTED_CHARACTERS = [4000, 1000];

const PLAIN_REMINDER = 'Answer with the JSON object.';

/**
 * The messages of a repair turn: the reply, what was wrong with it and the schema, with the document only where the answer
 * itself is in doubt. The plain question once more where there is nothing to quote or no room for it.
 *
 * @param fits whether messages leave room for a reply in the model's window
 */
export function repairPrompt(
  prompt: Prompt,
  repair: Repair,
  fits: (messages: readonly ChatMessage[]) => boolean,
): readonly ChatMessage[] {
  const { reply } = repair;
  // Anthropic, Gemini and Mistral refuse an empty assistant turn.
  if (reply.trim() === '') return askPlainly(prompt.messages);
  const longest = QUOTED_CHARACTERS[0] ?? 0;
  if (repair.isFormOnly === true && reply.length <= longest) {
    const alone = repairForm(prompt, repair);
    if (fits(alone)) return alone;
  }
  for (const units of QUOTED_CHARACTERS) {
    const messages = [...prompt.messages, ...repairTurn(prompt, repair, units)];
    if (fits(messages)) return messages;
  }
  return askPlainly(prompt.messages);
}

/** Not the very same request, which has been answered. */
function askPlainly(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  return messages.map((message, index) =>
    index < messages.length - 1 ? message : { ...message, content: `${message.content}\n\n${PLAIN_REMINDER}` },
  );
}

function repairTurn(prompt: Prompt, { reply, detail }: Repair, units: number): readonly ChatMessage[] {
  return [
    { role: 'assistant', content: cutText(reply, units) },
    { role: 'user', content: askAgain(detail, schemaOf(prompt)) },
  ];
}

/** The reply is fenced as a document is: it may repeat what a document asks for. */
function repairForm(prompt: Prompt, { reply, detail }: Repair): readonly ChatMessage[] {
  const content = `${askForForm(detail, schemaOf(prompt))}\n\n${fenceDocument(reply)}`;
  return [...prompt.messages.filter(({ role }) => role === 'system'), { role: 'user', content }];
}

function askAgain(detail: string, schema: string): string {
  return `That answer was not valid: ${detail}. Answer again, with the JSON object only, by this schema: ${schema}`;
}

function askForForm(detail: string, schema: string): string {
  return (
    `${REPAIR_OPENING}, and it was not valid: ${detail}. ` +
    `Write it again so that this is mended, and else the same in what it says, as one JSON object by this schema: ${schema}`
  );
}

/** What every repair says, as a part of a workflow's prompts. */
export const REPAIR_WORDS: readonly string[] = [PLAIN_REMINDER, askAgain('', ''), askForForm('', '')];

function schemaOf({ responseSchema }: Prompt): string {
  return schemaJson(responseSchema.schema);
}

/** Never in the middle of a character of two units. */
function cutText(text: string, units: number): string {
  const end = /[\uD800-\uDBFF]/.test(text.charAt(units - 1)) ? units - 1 : units;
  return text.slice(0, end);
}
