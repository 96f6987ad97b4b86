/**
 * Every error that the program raises on purpose. `code` is stable and searchable (`docs/errors.md` lists them; a test
 * keeps both equal); `exitCode` is what the command line ends with; `message` says what failed, why, the value seen
 * and what to do next.
 */
export const ERROR_CODES = {
  usage: 2,
  config_invalid: 2,
  input_invalid: 2,
  input_changed: 2,
  batch_exists: 2,
  batch_unknown: 2,
  workflow_unknown: 2,
  price_unknown: 2,
  redis_unavailable: 1,
  redis_unsuitable: 1,
  store_unavailable: 1,
  store_full: 1,
  store_denied: 1,
  results_damaged: 1,
  interrupted: 1,
  internal: 1,
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export class NightmillError extends Error {
  readonly code: ErrorCode;
  /** Whether the same thing may work later with nothing changed. Decided once, here. */
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; retryable?: boolean } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'NightmillError';
    this.code = code;
    this.retryable = options.retryable ?? false;
  }

  get exitCode(): number {
    return ERROR_CODES[this.code];
  }
}

/** The object store failed. `store_unavailable` is retryable; `store_denied` and `store_full` are not. */
export class StoreError extends NightmillError {
  constructor(
    code: 'store_unavailable' | 'store_denied' | 'store_full',
    message: string,
    options: { cause?: unknown } = {},
  ) {
    super(code, message, { ...options, retryable: code === 'store_unavailable' });
    this.name = 'StoreError';
  }
}
