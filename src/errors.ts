/**
 * Every error that the program raises on purpose. `code` is stable and searchable (`docs/errors.md` lists them; a test
 * keeps both equal); `exit` is what the command line ends with, `http` the status of the server's answer; `message`
 * says what failed, why, the value seen and what to do next.
 */
export const ERROR_CODES = {
  usage: { exit: 2, http: 400 },
  config_invalid: { exit: 2, http: 400 },
  input_invalid: { exit: 2, http: 422 },
  input_changed: { exit: 2, http: 409 },
  input_too_large: { exit: 2, http: 413 },
  batch_exists: { exit: 2, http: 409 },
  batch_unknown: { exit: 2, http: 404 },
  batch_state: { exit: 2, http: 409 },
  document_unknown: { exit: 2, http: 404 },
  workflow_unknown: { exit: 2, http: 404 },
  schedule_unknown: { exit: 2, http: 404 },
  schedule_busy: { exit: 1, http: 409 },
  tenant_unknown: { exit: 2, http: 403 },
  scope_unknown: { exit: 2, http: 404 },
  key_invalid: { exit: 2, http: 401 },
  right_missing: { exit: 2, http: 403 },
  calibration_missing: { exit: 2, http: 409 },
  gate_closed: { exit: 2, http: 409 },
  price_unknown: { exit: 2, http: 422 },
  price_list_invalid: { exit: 2, http: 422 },
  redis_unavailable: { exit: 1, http: 503 },
  redis_unsuitable: { exit: 1, http: 503 },
  format_other: { exit: 1, http: 503 },
  clock_wrong: { exit: 1, http: 503 },
  store_unavailable: { exit: 1, http: 503 },
  store_full: { exit: 1, http: 507 },
  store_denied: { exit: 1, http: 503 },
  results_damaged: { exit: 1, http: 500 },
  interrupted: { exit: 130, http: 503 },
  internal: { exit: 1, http: 500 },
} as const satisfies Readonly<Record<string, { readonly exit: number; readonly http: number }>>;

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
    return ERROR_CODES[this.code].exit;
  }

  get httpStatus(): number {
    return ERROR_CODES[this.code].http;
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
