import type { Usage } from '../money/usage.ts';

/** What went wrong with one model call. `FAILURE_RULES` says what each class means for the next call. */
export type ModelFailureClass =
  | 'rate_limited'
  | 'server_error'
  | 'timeout'
  | 'unreachable'
  | 'connection_lost'
  | 'invalid_reply'
  | 'authentication'
  | 'out_of_credit'
  | 'context_overflow'
  | 'bad_request'
  | 'refused_content'
  | 'aborted';

/**
 * Whether the provider may charge for the failed request: `none` it will not, `billed` it did (a usage was
 * readable), `unknown` cannot be known from here.
 */
export type Billing = 'none' | 'unknown' | 'billed';

export interface FailureRule {
  /**
   * `never`: the same request would fail again. `backoff`: again after a jittered delay. `after_wait`: again, not
   * before the provider's own wait (`retryAfterMs`) is over. Every retry passes admission again.
   */
  readonly retry: 'never' | 'backoff' | 'after_wait';
  /** Every further call to this provider would fail the same way until a person acts. */
  readonly pausesProvider: boolean;
  /** What to do next, as the last sentence of the message. */
  readonly advice: string;
}

export const FAILURE_RULES: Readonly<Record<ModelFailureClass, FailureRule>> = {
  // Nothing is wrong with the request or the provider: it has to come later.
  rate_limited: {
    retry: 'after_wait',
    pausesProvider: false,
    advice: "If this is frequent, lower the provider's limits in the config to what the account has.",
  },
  // The provider's own trouble (408, 5xx, 529). A second try usually works; many in a row are an outage.
  server_error: {
    retry: 'backoff',
    pausesProvider: false,
    advice: 'If it continues, look at the status page of the provider.',
  },
  // Sent, no whole answer in time. The provider may have worked and may charge, so each retry can cost twice.
  timeout: {
    retry: 'backoff',
    pausesProvider: false,
    advice:
      "If the server works on few calls at once, lower the provider's limits.concurrency; if a single call takes so long, raise its timeoutSeconds or use a smaller output cap.",
  },
  // Nothing was sent. Free to retry; a wrong URL and an outage look the same from here.
  unreachable: {
    retry: 'backoff',
    pausesProvider: false,
    advice: "Check the provider's baseUrl and that the server is running.",
  },
  // Sent, then the connection broke. As with a timeout, the provider may charge.
  connection_lost: {
    retry: 'backoff',
    pausesProvider: false,
    advice: 'If it continues, look for a proxy or a crash between here and the provider.',
  },
  // A success status with something else than this API's reply: a proxy's page, a cut-off body.
  invalid_reply: {
    retry: 'backoff',
    pausesProvider: false,
    advice: "Check that the provider's baseUrl is the address of the API that its kind names.",
  },
  // The key is wrong, revoked or lacks a right: the next call fails the same way.
  authentication: {
    retry: 'never',
    pausesProvider: true,
    advice: "Check the provider's apiKey and what it may use.",
  },
  // The account has no money left. Retrying only collects refusals; documents wait, they do not fail.
  out_of_credit: {
    retry: 'never',
    pausesProvider: true,
    advice: 'Add credit or raise the spending limit at the provider, then resume.',
  },
  // Only a smaller request can pass: the caller splits the document.
  context_overflow: {
    retry: 'never',
    pausesProvider: false,
    advice: "If the document was already split, lower the model's contextTokens in the config.",
  },
  // The request itself is refused: a wrong model name, a field this server does not know.
  bad_request: {
    retry: 'never',
    pausesProvider: false,
    advice: "Check the model's id and the provider's baseUrl in the config.",
  },
  // The provider's content filter stopped this text; the same text is stopped again.
  refused_content: {
    retry: 'never',
    pausesProvider: false,
    advice: 'The document fails; another provider may take it.',
  },
  // The caller gave up (shutdown, cancel, lost slice): whoever aborted decides what is next.
  aborted: {
    retry: 'never',
    pausesProvider: false,
    advice: 'The call is made again if its slice is.',
  },
};

export interface ModelCallErrorDetails {
  readonly failure: ModelFailureClass;
  readonly billing: Billing;
  readonly status?: number | undefined;
  readonly providerCode?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly serverIsStarting?: boolean;
  readonly mayBeTooLong?: boolean | undefined;
  readonly refusesModel?: boolean | undefined;
  readonly requestId?: string | undefined;
  readonly rateLimitHeaders?: Readonly<Record<string, string>> | undefined;
  readonly usage?: Usage | undefined;
  readonly cause?: unknown;
}

/** One model call failed. No field holds a key or a header that was sent. */
export class ModelCallError extends Error {
  readonly failure: ModelFailureClass;
  readonly billing: Billing;
  /** HTTP status, where there was one. */
  readonly status: number | undefined;
  /** The provider's own word for it, e.g. `insufficient_quota`. */
  readonly providerCode: string | undefined;
  /** How long the provider asked to wait: 0 to `MAX_RETRY_AFTER_MS`. */
  readonly retryAfterMs: number | undefined;
  /** It says that it still loads its model: minutes, and no outage. */
  readonly serverIsStarting: boolean;
  /** A `bad_request` whose words leave open whether the request is too long. */
  readonly mayBeTooLong: boolean;
  /** A `bad_request` because of the model itself: a wrong id, or one that is withdrawn. */
  readonly refusesModel: boolean;
  /** The provider's id of this request, for its support desk. */
  readonly requestId: string | undefined;
  /** Rate-limit headers as they came, lower-case names. */
  readonly rateLimitHeaders: Readonly<Record<string, string>>;
  /** What the provider charged for; present exactly when `billing` is `billed`. */
  readonly usage: Usage | undefined;

  constructor(message: string, details: ModelCallErrorDetails) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.name = 'ModelCallError';
    this.failure = details.failure;
    this.billing = details.billing;
    this.status = details.status;
    this.providerCode = details.providerCode;
    this.retryAfterMs = details.retryAfterMs;
    this.serverIsStarting = details.serverIsStarting ?? false;
    this.mayBeTooLong = details.mayBeTooLong ?? false;
    this.refusesModel = details.refusesModel ?? false;
    this.requestId = details.requestId;
    this.rateLimitHeaders = details.rateLimitHeaders ?? {};
    this.usage = details.usage;
  }
}
