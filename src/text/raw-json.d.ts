// In the language since ES2026 and in Node since 21, not yet in the compiler's library.
interface JSON {
  /** A value that `JSON.stringify` prints as the given JSON text. */
  rawJSON(text: string): unknown;
}
