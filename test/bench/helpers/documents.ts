import { writeFile } from 'node:fs/promises';
import { chance } from '../../../src/simulator/random.ts';
import { classifyQuestion } from '../../../src/tasks/classify/answer.ts';

export interface BenchDocument {
  readonly id: string;
  readonly text: string;
}

export const LABELS = {
  billing: 'Questions about an invoice, a payment or a refund',
  bug: 'A crash, an error or something that does not work',
  other: 'Anything else',
} as const;

export const MODEL_ID = 'small-2026-01-01';

const WORDS =
  'invoice order payment shows wrong amount the page fails to open after an update we cannot log in please reply soon customer asks for refund of last month'.split(
    ' ',
  );
const SEED = 1;

/** Plain text of exactly `bytes` bytes, different for each number. */
export function makeDocument(number: number, bytes: number): BenchDocument {
  let text = `Ticket ${number}:`;
  for (let word = 0; text.length < bytes; word += 1) {
    text += ` ${WORDS[Math.floor(chance(SEED, String(number), String(word)) * WORDS.length)]}`;
  }
  return { id: `doc-${number}`, text: text.slice(0, bytes) };
}

/** Sizes spread evenly over the magnitudes between `least` and `most`. */
export function mixedBytes(number: number, least: number, most: number): number {
  return Math.round(least * (most / least) ** chance(SEED, String(number), 'size'));
}

export async function writeDocuments(path: string, documents: readonly BenchDocument[]): Promise<void> {
  await writeFile(path, documents.map((document) => `${JSON.stringify(document)}\n`).join(''));
}

/** The request that the program makes for one document, for the scripts that it is compared with. */
export function chatBody(text: string) {
  const { messages, outputTokens, responseSchema } = classifyQuestion(
    {
      name: 'triage',
      task: 'classify',
      labels: Object.entries(LABELS).map(([label, description]) => ({ label, description })),
      examples: [],
      cascade: [],
    },
    text,
  ).prompt;
  if (responseSchema === undefined) throw new Error('The classification prompt has no schema');
  const { name, schema } = responseSchema;
  return {
    model: MODEL_ID,
    messages: messages.map(({ role, content }) => ({ role, content })),
    max_tokens: outputTokens,
    response_format: { type: 'json_schema', json_schema: { name, strict: true, schema } },
  } as const;
}

export type ChatBody = ReturnType<typeof chatBody>;

/** What the simulator with `bytes/4` asks of a token limit for this request: its input and the cap of its output. */
export function tokensOf({ messages, response_format: format, max_tokens: cap }: ChatBody): number {
  const count = (text: string) => Math.ceil(Buffer.byteLength(text) / 4);
  const input = messages.reduce((sum, { content }) => sum + count(content) + 3, 3);
  return input + count(JSON.stringify(format.json_schema.schema)) + cap;
}
