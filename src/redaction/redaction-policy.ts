/** Kinds of personal and secret data that are found without configuration. */
export const REDACTION_RULES = ['email', 'phone', 'card', 'iban', 'ip', 'secret'] as const;

export type RedactionRule = (typeof REDACTION_RULES)[number];

/** A custom kind of data: the text of a regular expression, its flags, and what its placeholders are called. */
export interface RedactionPattern {
  /** Lower-case letters and digits, e.g. `employee`: its placeholders are `[EMPLOYEE_1]`. */
  readonly name: string;
  readonly pattern: string;
  readonly flags: string;
}

/** What is taken out of a text before a model sees it. Plain data, stored with the batch. */
export interface RedactionPolicy {
  readonly rules: readonly RedactionRule[];
  readonly patterns: readonly RedactionPattern[];
}

/** Sensitive text at UTF-16 offsets `start` to `end`. */
export interface Finding {
  readonly start: number;
  readonly end: number;
  /** A rule, the name of a pattern, or `literal`: text that only looks like a placeholder. */
  readonly rule: string;
}
