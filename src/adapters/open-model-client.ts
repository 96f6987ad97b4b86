import type { EndpointCapabilities } from '../providers/endpoint-capabilities.ts';
import type { ModelClient } from '../providers/model-client.ts';
import type { ProxySettings } from '../runtime/proxy-settings.ts';
import { createAnthropicClient } from './anthropic/client.ts';
import { createGeminiClient } from './gemini/client.ts';
import { createOpenAiClient } from './openai-compatible/client.ts';
import type { ProviderClientOptions } from './provider-http/client-options.ts';

/** One provider of the config, as far as reaching it goes. */
export interface ProviderSettings {
  readonly name: string;
  readonly kind: 'openai' | 'anthropic' | 'gemini';
  readonly baseUrl: string;
  readonly apiKey?: string;
  readonly authHeader?: 'api-key';
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly capabilities: EndpointCapabilities;
  /** `concurrency`: calls in flight in this process. */
  readonly limits: { readonly concurrency: number };
  readonly preset?: string;
  readonly proxy?: ProxySettings;
}

const CREATE_CLIENT = {
  openai: createOpenAiClient,
  anthropic: createAnthropicClient,
  gemini: createGeminiClient,
} as const satisfies Readonly<Record<ProviderSettings['kind'], (options: ProviderClientOptions) => ModelClient>>;

/** The client that speaks the provider's protocol. Whoever opens it closes it. */
export function openModelClient(provider: ProviderSettings): ModelClient {
  const { name, baseUrl, apiKey, authHeader, headers, timeoutMs, capabilities, limits, proxy, preset } = provider;
  return CREATE_CLIENT[provider.kind]({
    name,
    baseUrl,
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(authHeader === undefined ? {} : { authHeader }),
    headers,
    timeoutMs,
    capabilities,
    maxConnections: limits.concurrency,
    isLlamaCpp: preset === 'llamacpp',
    ...(proxy === undefined ? {} : { proxy }),
  });
}
