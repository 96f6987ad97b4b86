import type { ProxySettings } from '../runtime/proxy-settings.ts';
import type { EndpointCapabilities } from './endpoint-capabilities.ts';

/** The protocol that a provider speaks. */
export type ProviderKind = 'openai' | 'anthropic' | 'gemini';

/** What it takes to reach a provider: for its calls, its model list and the checks of `doctor` alike. */
export interface ProviderEndpoint {
  /** The provider's name in the config. */
  readonly name: string;
  readonly kind: ProviderKind;
  /** The API's address, without a slash at the end; a query (Azure's `?api-version=`) is kept. */
  readonly baseUrl: string;
  /** Absent or empty: none is sent. */
  readonly apiKey?: string;
  /** The header that carries the key; absent: the usual one of its kind. */
  readonly authHeader?: 'api-key';
  /** Sent with every call; they win over the client's own. */
  readonly headers: Readonly<Record<string, string>>;
  /** What the endpoint can do; whether log-probabilities are asked for is `ModelSpec.logprobs`. */
  readonly capabilities: EndpointCapabilities;
  /** For a whole call, in milliseconds. */
  readonly timeoutMs: number;
  /** Absent: it is reached directly. */
  readonly proxy?: ProxySettings;
}
