/** Names with commas between: without spaces around them, each once. */
export function readNames(text: string): readonly string[] {
  return [...new Set(text.split(',').map((name) => name.trim()))].filter((name) => name !== '');
}
