import { fenceDocument } from '../prompts/fence.ts';
import type { Prompt } from '../prompts/question.ts';
import type { Steps } from '../runtime/steps.ts';
import type { RedactedTexts, Redactor } from './redactor.ts';

export interface RedactedPrompt {
  readonly prompt: Prompt;
  readonly restore: RedactedTexts['restore'];
}

/** Always said, so that the beginning of the prompt is the same for all documents. */
export const PLACEHOLDER_RULE =
  'Names in brackets such as [EMAIL_1] or [PHONE_2] stand for values that were taken out of the text. Where you use one, copy it exactly.';

const FENCED =
  /^(?:<context-([0-9a-f]{8,64})>\n([\s\S]*?)\n<\/context-\1>\n)?<document-([0-9a-f]{8,64})>\n([\s\S]*)\n<\/document-\3>$/;

/**
 * Hides a document's values in the messages that hold parts of it. The fence is put up anew: its mark is a hash of
 * what stands inside, and a hash of the values could be tried out.
 */
export function* redactPrompt(prompt: Prompt, redactor: Redactor): Steps<RedactedPrompt> {
  const fromUser = prompt.messages.map(({ role, content }) => (role === 'user' ? content : undefined));
  const texts = fromUser.map((content) => (content === undefined ? [] : textsOf(content)));
  const { texts: redacted, restore } = yield* redactor.redactInSteps(texts.flat());
  const next = redacted.values();
  const messages = prompt.messages.map((message, index) => {
    const [document, context] = (texts[index] ?? []).map(() => next.next().value ?? '');
    if (message.role === 'system' && index === 0)
      return { ...message, content: `${message.content}\n\n${PLACEHOLDER_RULE}` };
    if (document === undefined) return message;
    const fenced = FENCED.test(message.content);
    return { ...message, content: fenced ? fenceDocument(document, context) : document };
  });
  return { prompt: { ...prompt, messages }, restore };
}

/** The document and what stands before it, or the whole message where it has no fence. */
function textsOf(content: string): readonly string[] {
  const [, , context, , document] = FENCED.exec(content) ?? [];
  if (document === undefined) return [content];
  return context === undefined ? [document] : [document, context];
}
