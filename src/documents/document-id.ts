/** Longest document id, in UTF-16 units. */
const MAX_DOCUMENT_ID_UNITS = 512;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** Why `id` cannot be a document's id, as the end of a sentence that begins with "the id"; undefined where it can. */
export function findIdFault(id: string): string | undefined {
  if (id === '') return 'is empty';
  if (id.length > MAX_DOCUMENT_ID_UNITS) {
    return `has ${id.length} characters; at most ${MAX_DOCUMENT_ID_UNITS} are allowed`;
  }
  if (CONTROL_CHARACTER.test(id)) return 'has a control character';
  if (!id.isWellFormed()) return 'has half a surrogate pair';
  return undefined;
}
