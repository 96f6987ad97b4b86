import type { EndpointCapabilities } from '../../providers/endpoint-capabilities.ts';
import { type LessonBook, type Lessons, otherField, type Taught } from '../../providers/lesson-book.ts';
import type { ModelRequest } from '../../providers/model-client.ts';
import { readErrorBody } from '../../providers/read-error-body.ts';

const NOT_TAKEN =
  /unsupported|not (?:supported|allowed|permitted|available|recogni[sz]ed|valid|implemented)|does ?n.t support|unknown|unrecogni[sz]ed|unexpected|extra (?:inputs|fields)|invalid|deprecated|only the default|must be|unavailable|use '?max_|no such|cannot be (?:used|set)/i;

/** Whatever is said of the form that is asked for: less of it may be taken. */
const FORMAT =
  /json_schema|response_format|json_object|json[ _]mode|structured[ _]outputs?|\bguided|\bgrammar|\bschema\b/i;

/**
 * Servers that differ in one parameter refuse every request alike, and say which one. Each is swapped or left out once;
 * what is learned holds for the model as long as the client lives, and is told to the book.
 */
export class LearnedParameters {
  /** By this process's own calls. */
  readonly #own = new Map<string, Lessons>();
  readonly #capabilities: EndpointCapabilities;
  readonly #taught: Taught;
  readonly #book: LessonBook | undefined;
  /** Where the others' calls have led; what is learned here outranks it. */
  #known: ReadonlyMap<string, Lessons> = new Map();
  #reading: Promise<void> | undefined;

  constructor(capabilities: EndpointCapabilities, taught: Taught, book?: LessonBook) {
    this.#capabilities = capabilities;
    this.#taught = taught;
    this.#book = book;
  }

  /** Reads the book, once. A book that cannot be read delays nobody: the same is learned here then. */
  ready(): Promise<void> {
    this.#reading ??= this.#read();
    return this.#reading;
  }

  async #read(): Promise<void> {
    try {
      this.#known = (await this.#book?.read(this.#taught)) ?? this.#known;
    } catch {
      this.#reading = undefined;
    }
  }

  /** @returns whether the refusal has taught something new, so that the same request can be sent in another form */
  async learn(request: ModelRequest, body: string): Promise<boolean> {
    const message = readErrorBody(body).message.slice(0, 500);
    const own = this.#own.get(request.modelId) ?? {};
    const isRefused = NOT_TAKEN.test(message) || FORMAT.test(message);
    const next = isRefused ? this.#lesson(request, message, own) : undefined;
    if (next === undefined) return false;
    this.#own.set(request.modelId, { ...own, ...next });
    try {
      await this.#book?.add(this.#taught, request.modelId, next);
    } catch {
      // It holds here all the same; another worker learns it by itself.
    }
    return true;
  }

  capabilitiesFor(modelId: string): EndpointCapabilities {
    const { structuredOutput: _, ...others } = this.#lessonsOf(modelId);
    return { ...this.#capabilities, ...others };
  }

  /** The request in the form that the model takes. */
  adapt(request: ModelRequest): ModelRequest {
    const format = this.#lessonsOf(request.modelId).structuredOutput;
    return format === undefined || !isLooser(format, request.responseFormat?.kind)
      ? request
      : { ...request, responseFormat: { kind: format } };
  }

  #lessonsOf(modelId: string): Lessons {
    return { ...this.#known.get(modelId), ...this.#own.get(modelId) };
  }

  /** What the server has refused of what was sent: by the config, or by a lesson of others that holds no longer. */
  #lesson(request: ModelRequest, message: string, own: Lessons): Lessons | undefined {
    const sent = this.capabilitiesFor(request.modelId);
    const named = message.match(/max_(?:completion_)?tokens/g) ?? [];
    if (named[0] === sent.maxTokensField && own.maxTokensField === undefined) {
      return { maxTokensField: otherField(sent.maxTokensField) };
    }
    const format = this.adapt(request).responseFormat?.kind;
    if (FORMAT.test(message)) {
      if (format === 'json_schema')
        return { structuredOutput: /json_schema/i.test(message) ? 'json_object' : 'prompt' };
      if (format === 'json_object') return { structuredOutput: 'prompt' };
    }
    if (/logprobs/i.test(message) && request.logprobs === true && sent.logprobs) return { logprobs: false };
    if (/temperature/i.test(message) && request.temperature !== undefined && sent.temperature) {
      return { temperature: false };
    }
    return undefined;
  }
}

const STRICTNESS = { json_schema: 2, json_object: 1, prompt: 0 } as const;

/** A lesson takes away, and never asks for more than the request does. */
function isLooser(format: 'json_object' | 'prompt', asked: keyof typeof STRICTNESS | undefined): boolean {
  return asked !== undefined && STRICTNESS[format] < STRICTNESS[asked];
}
