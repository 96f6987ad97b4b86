/** What a provider adds to a family's name for one version of it: `-2026-01-01`, `-20260101`, `@20260101`, `-0613`, `-001`. */
const SNAPSHOT = /[-@](?:\d{4}-\d{2}-\d{2}|\d{8}|\d{3,4})$/;

/** The name without its version: `gemini-2.0-flash` of `gemini-2.0-flash-001`; undefined where it has none. */
export function familyOf(id: string): string | undefined {
  const at = id.search(SNAPSHOT);
  return at <= 0 ? undefined : id.slice(0, at);
}
