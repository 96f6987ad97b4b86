/** A value as it stands inside a string of a JSON reply. */
export function jsonEscaped(value: string): string {
  return JSON.stringify(value).slice(1, -1);
}
