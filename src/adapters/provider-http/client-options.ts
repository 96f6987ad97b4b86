import type { LessonBook } from '../../providers/lesson-book.ts';
import type { ProviderEndpoint } from '../../providers/provider-endpoint.ts';

/** What every provider client needs: the endpoint and its own bounds. */
export interface ProviderClientOptions
  extends Omit<ProviderEndpoint, 'kind' | 'headers' | 'timeoutMs'>,
    Partial<Pick<ProviderEndpoint, 'headers'>> {
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
  /** Where what refusals teach is kept for the whole cluster; absent: this client learns for itself. */
  readonly lessons?: LessonBook;
  /** It is a llama.cpp server, which says how many calls it works on at once; others are known by their `server` header. */
  readonly isLlamaCpp?: boolean;
}
