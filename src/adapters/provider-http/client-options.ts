import type { EndpointCapabilities } from '../../providers/endpoint-capabilities.ts';
import type { ProxySettings } from '../../runtime/proxy-settings.ts';

/** What every provider client needs. */
export interface ProviderClientOptions {
  /** The provider's name in the config, for messages. */
  readonly name: string;
  /** The API's address, without the path of a single call; a query (Azure's `?api-version=`) is kept. */
  readonly baseUrl: string;
  /** Sent in the header that the API wants it in; none is sent where it is absent or empty. */
  readonly apiKey?: string;
  /** Sent with every call; they win over the client's own. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * For a whole call, from handing it over to the last byte of the reply, without the time that it stands behind earlier
   * calls in the server's own line as far as that is known; default 120,000.
   */
  readonly timeoutMs?: number;
  /** For opening a connection, TLS included; default 10,000. Checked about every half second. */
  readonly connectTimeoutMs?: number;
  /** Connections, and so calls at the same time; further calls wait for one. Default 64. */
  readonly maxConnections?: number;
  /** A longer reply is cut off; default 32 MiB. */
  readonly maxReplyBytes?: number;
  readonly capabilities: EndpointCapabilities;
  /** OpenAI-compatible servers only: Azure wants the key as `api-key`. Absent: `authorization`, as a Bearer token. */
  readonly authHeader?: 'api-key';
  /** Absent: the server is reached directly. */
  readonly proxy?: ProxySettings;
  /** It is a llama.cpp server, which says how many calls it works on at once; others are known by their `server` header. */
  readonly isLlamaCpp?: boolean;
}
