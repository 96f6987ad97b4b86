import { hash } from 'node:crypto';
import { isRecord } from '../text/json-value.ts';
import type { ChatRequest } from './chat-request.ts';
import { chooseLabel, type LabelChoice } from './choose-label.ts';
import { splitPrompt } from './document-text.ts';
import { firstSentences, StatedValues, sentencesOf, wordLimit } from './extract-text.ts';
import { fillSchema, type SchemaFiller } from './fill-schema.ts';
import { findLabels } from './find-labels.ts';
import { chance } from './random.ts';
import type { JsonSchema } from './strict-schema.ts';

export interface Answer {
  readonly content: string;
  /** The labels in the content, in order. */
  readonly choices: readonly LabelChoice[];
}

/** What decides an answer besides the request. */
export interface Answerer {
  readonly name: string;
  readonly accuracy: number;
  readonly seed: number;
  /** The right label of a text, where it is known. */
  readonly truth: ReadonlyMap<string, string>;
  /** Answer with a label outside the enum, if there is one. */
  readonly wrongLabel: boolean;
}

const CONFIDENCE_NAME = /confiden|certain|probab|likelihood|score/i;
const SHORT_TEXT_NAME = /title|name|reason|rationale|explanation|topic|keyword|fact/i;
const SHORT_TEXT_WORDS = 15;
/** What is asked about a document, and not read from it. */
const OWN_WORDS_NAME = /^(?:label|summary|facts?|answer)$/i;

/** The answer to a request. Equal requests have equal answers, in every process with the same seed. */
export function buildAnswer(request: ChatRequest, model: Answerer): Answer {
  const { document, instructions } = splitPrompt(request.messages);
  const documentKey = hash('md5', document, 'hex');
  const schema = schemaOf(request, instructions);
  const choices: LabelChoice[] = [];
  const label = (labels: readonly string[]): LabelChoice => {
    const known = model.truth.get(document);
    return chooseLabel({
      labels,
      document,
      instructions,
      truth: known !== undefined && labels.includes(known) ? known : undefined,
      model,
      seed: model.seed,
      documentKey,
      requestKey: request.hash,
      temperature: request.temperature,
    });
  };
  const summary = (description: string): string => {
    const limit = wordLimit(description) ?? wordLimit(instructions);
    const spread = chance(model.seed, request.hash, 'length');
    const words = limit === undefined ? 40 + 80 * spread : Math.min(limit, 120) * (0.6 + 0.35 * spread);
    return firstSentences(document, Math.max(1, Math.floor(words)));
  };
  const values = new StatedValues(document);
  const isRead = (name: string) => !OWN_WORDS_NAME.test(name) && !CONFIDENCE_NAME.test(name);
  const filler: SchemaFiller = {
    stated: (name, schema, position) => (isRead(name) ? values.value(name, schema, position) : undefined),
    statedCount: (name) => (isRead(name) ? values.under(name).length : 0),
    label: (labels) => {
      const choice = model.wrongLabel ? { ...label(labels), label: outside(labels) } : label(labels);
      choices.push(choice);
      return choice.label;
    },
    text: (name, description, position) => {
      const short = SHORT_TEXT_NAME.test(name);
      if (position > 0) {
        const sentence = sentencesOf(document)[position] ?? `Point ${position + 1}.`;
        return short ? firstSentences(sentence, SHORT_TEXT_WORDS) : sentence;
      }
      return short ? firstSentences(document, SHORT_TEXT_WORDS) : summary(description);
    },
    fraction: (name) => {
      if (!CONFIDENCE_NAME.test(name)) return chance(model.seed, request.hash, name);
      if (choices[0] !== undefined) return choices[0].confidence;
      // The confidence may be before the label it is about.
      const labels = findLabels(schema);
      return labels === undefined
        ? 0.5 + 0.5 * chance(model.seed, documentKey, 'confidence')
        : label(labels).confidence;
    },
  };
  if (schema === undefined) return { content: summary(''), choices };
  const content = JSON.stringify(fillSchema(schema, filler));
  return { content, choices };
}

/** In JSON mode without a schema, one that the instructions quote is followed, as models do. */
function schemaOf(request: ChatRequest, instructions: string): JsonSchema | undefined {
  if (request.format.kind === 'schema') return request.format.schema;
  if (request.format.kind === 'text') return undefined;
  return quotedSchema(instructions) ?? { type: 'object', properties: { answer: { type: 'string' } } };
}

function quotedSchema(instructions: string): JsonSchema | undefined {
  const start = instructions.indexOf('{');
  let depth = 0;
  for (let index = start; index >= 0 && index < instructions.length; index++) {
    if (instructions[index] === '{') depth += 1;
    if (instructions[index] === '}') depth -= 1;
    if (depth > 0) continue;
    try {
      const value: unknown = JSON.parse(instructions.slice(start, index + 1));
      return isRecord(value) && isRecord(value.properties) ? value : undefined;
    } catch {
      return undefined;
    }
  }
  return undefined;
}

function outside(labels: readonly string[]): string {
  return ['unlisted', 'not_a_label'].find((label) => !labels.includes(label)) ?? labels.join('_');
}
