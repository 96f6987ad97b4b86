import type { EndpointCapabilities } from '../../providers/endpoint-capabilities.ts';
import type { ModelRequest } from '../../providers/model-client.ts';
import { readErrorBody } from '../../providers/read-error-body.ts';

/** What one model's refusals have taught: what to leave out or to call by another name. */
interface Learned {
  readonly maxTokensField?: EndpointCapabilities['maxTokensField'];
  readonly structuredOutput?: 'json_object' | 'prompt';
  readonly temperature?: false;
  readonly logprobs?: false;
}

const NOT_TAKEN =
  /unsupported|not (?:supported|allowed|permitted|available|recogni[sz]ed|valid|implemented)|does ?n.t support|unknown|unrecogni[sz]ed|unexpected|extra (?:inputs|fields)|invalid|deprecated|only the default|must be one of|use '?max_|no such|cannot be (?:used|set)/i;

/**
 * Servers that differ in one parameter refuse every request alike, and say which one. Each is swapped or left out once;
 * what is learned holds for the model as long as the client lives.
 */
export class LearnedParameters {
  readonly #models = new Map<string, Learned>();
  readonly #capabilities: EndpointCapabilities;

  constructor(capabilities: EndpointCapabilities) {
    this.#capabilities = capabilities;
  }

  /** @returns whether the refusal has taught something new, so that the same request can be sent in another form */
  learn(request: ModelRequest, body: string): boolean {
    const message = readErrorBody(body).message.slice(0, 500);
    const known = this.#models.get(request.modelId) ?? {};
    const next = NOT_TAKEN.test(message) ? this.#lesson(request, message, known) : undefined;
    if (next === undefined) return false;
    this.#models.set(request.modelId, { ...known, ...next });
    return true;
  }

  capabilitiesFor(modelId: string): EndpointCapabilities {
    const known = this.#models.get(modelId);
    if (known === undefined) return this.#capabilities;
    const { structuredOutput: _, ...others } = known;
    return { ...this.#capabilities, ...others };
  }

  /** The request in the form that the model takes. */
  adapt(request: ModelRequest): ModelRequest {
    const format = this.#models.get(request.modelId)?.structuredOutput;
    return format === undefined ? request : { ...request, responseFormat: { kind: format } };
  }

  #lesson(request: ModelRequest, message: string, known: Learned): Learned | undefined {
    const sent = this.#capabilities;
    const field = known.maxTokensField ?? sent.maxTokensField;
    const named = message.match(/max_(?:completion_)?tokens/g) ?? [];
    if (named[0] === field && known.maxTokensField === undefined) {
      return { maxTokensField: field === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens' };
    }
    const format = known.structuredOutput ?? request.responseFormat?.kind;
    if (/json_schema|response_format|json_object|structured output|guided/i.test(message)) {
      if (format === 'json_schema')
        return { structuredOutput: /json_schema/i.test(message) ? 'json_object' : 'prompt' };
      if (format === 'json_object') return { structuredOutput: 'prompt' };
    }
    if (/logprobs/i.test(message) && request.logprobs === true && known.logprobs === undefined)
      return { logprobs: false };
    if (/temperature/i.test(message) && request.temperature !== undefined && known.temperature === undefined) {
      return { temperature: false };
    }
    return undefined;
  }
}
