/** Undefined where it is not JSON. The parser's own error is dropped: it quotes the text, which may hold a key. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An object of JSON, neither a list nor null. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isFilledString(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** A whole number of things: exact and not negative. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/**
 * JSON whose numbers are written as they were read: one that a JavaScript number cannot hold exactly, or would print
 * differently (`1e400`, `0.0000001`, `12345678901234567890`), becomes `JSON.rawJSON` of its text.
 *
 * @throws {SyntaxError}
 */
export function parseJsonExactly(text: string): unknown {
  const reviver = (_key: string, value: unknown, { source }: { readonly source?: string }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source ? JSON.rawJSON(source) : value;
  return JSON.parse(text, reviver as Parameters<typeof JSON.parse>[1]);
}

/** The text of a number that {@link parseJsonExactly} has read. */
export function numberText(value: unknown): string {
  return typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? '');
}
