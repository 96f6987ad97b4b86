/** What one provider endpoint can do and how it wants to be asked; a preset fills it, the config overrides it. */
export interface EndpointCapabilities {
  /** Name of the output cap in the request. */
  readonly maxTokensField: 'max_tokens' | 'max_completion_tokens';
  /** How it is asked for JSON; `prompt`: only in words. */
  readonly structuredOutput: 'json_schema' | 'json_object' | 'prompt';
  /** Whether log-probabilities can be asked for; they give a better confidence. */
  readonly logprobs: boolean;
  /** Whether a temperature may be sent; where not, one in the config is an error. */
  readonly temperature: boolean;
  /** `markers`: the stable prefix is marked for the cache; `automatic`: the provider finds it; `none`: it has no cache. */
  readonly promptCache: 'markers' | 'automatic' | 'none';
  /**
   * How it is told how much to think. `effort`: by `reasoning_effort`. `object`: by `reasoning`, which holds an effort or
   * a budget. The others take `reasoning_effort` too, and for thinking not at all `switch`: `reasoning.enabled`,
   * `thinking`: `thinking.type`, `template`: a variable of the chat template. `none`: it cannot be told. Anthropic and
   * Gemini have fields of their own; of these words they know `thinking` and `none`.
   */
  readonly reasoning: 'effort' | 'object' | 'switch' | 'thinking' | 'template' | 'none';
}
