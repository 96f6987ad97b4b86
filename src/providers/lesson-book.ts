import type { EndpointCapabilities } from './endpoint-capabilities.ts';

/** What one model's refusals have taught: what to leave out or to call by another name. */
export interface Lessons {
  readonly maxTokensField?: EndpointCapabilities['maxTokensField'];
  readonly structuredOutput?: 'json_object' | 'prompt';
  readonly temperature?: false;
  readonly logprobs?: false;
}

/** Whose lessons: another address under the same name is another server, and has taught nothing. */
export interface Taught {
  readonly provider: string;
  readonly baseUrl: string;
}

/** What refusals have taught the whole cluster, so that a new worker does not learn it by failing. */
export interface LessonBook {
  /** By the provider's id of the model. Lessons of {@link LESSON_DAYS} days ago are forgotten: servers change. */
  read(taught: Taught): Promise<ReadonlyMap<string, Lessons>>;
  add(taught: Taught, modelId: string, lessons: Lessons): Promise<void>;
}

/** To learn one again costs a refused call, which is free. */
export const LESSON_DAYS = 30;

/** For a person: `max_completion_tokens in place of max_tokens, no logprobs`. */
export function describeLessons({ maxTokensField, structuredOutput, temperature, logprobs }: Lessons): string {
  const field = maxTokensField === undefined ? [] : [`${maxTokensField} in place of ${otherField(maxTokensField)}`];
  const format =
    structuredOutput === undefined
      ? []
      : [structuredOutput === 'prompt' ? 'no response_format' : 'json_object in place of json_schema'];
  return [
    ...field,
    ...format,
    ...(temperature === false ? ['no temperature'] : []),
    ...(logprobs === false ? ['no logprobs'] : []),
  ].join(', ');
}

export function otherField(field: EndpointCapabilities['maxTokensField']): EndpointCapabilities['maxTokensField'] {
  return field === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens';
}
