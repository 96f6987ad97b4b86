import type { LessonBook } from '../providers/lesson-book.ts';
import type { ModelClient } from '../providers/model-client.ts';
import type { ProviderEndpoint, ProviderKind } from '../providers/provider-endpoint.ts';
import { createAnthropicClient } from './anthropic/client.ts';
import { createGeminiClient } from './gemini/client.ts';
import { createOpenAiClient } from './openai-compatible/client.ts';
import type { ProviderClientOptions } from './provider-http/client-options.ts';

/** One provider of the config, as far as calling it goes. */
export interface ProviderSettings extends ProviderEndpoint {
  /** `concurrency`: calls in flight in this process. */
  readonly limits: { readonly concurrency: number };
  readonly preset?: string;
}

const CREATE_CLIENT = {
  openai: createOpenAiClient,
  anthropic: createAnthropicClient,
  gemini: createGeminiClient,
} as const satisfies Readonly<Record<ProviderKind, (options: ProviderClientOptions) => ModelClient>>;

/** The client that speaks the provider's protocol. Whoever opens it closes it. @param lessons shared by the cluster; absent: it learns for itself */
export function openModelClient(provider: ProviderSettings, lessons?: LessonBook): ModelClient {
  const { limits, preset, ...endpoint } = provider;
  return CREATE_CLIENT[provider.kind]({
    ...endpoint,
    maxConnections: limits.concurrency,
    isLlamaCpp: preset === 'llamacpp',
    ...(lessons === undefined ? {} : { lessons }),
  });
}
