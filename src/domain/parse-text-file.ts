import type { InputEntry } from './document.ts';
import { findIdFault } from './document-id.ts';
import { quoteValue } from './quote-value.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Makes one document of a whole text file. Problems: `missing_id` where the name cannot be an id, `not_utf8`,
 * `missing_text` where the file is empty. A byte order mark is dropped.
 *
 * @param id relative path of the file, with forward slashes
 */
export function parseTextFile(
  bytes: Uint8Array,
  { id, source }: { readonly id: string; readonly source: string },
): InputEntry {
  const fault = findIdFault(id);
  if (fault !== undefined) {
    const message = `The file's name cannot be a document id: it ${fault}: ${quoteValue(id)}`;
    return { kind: 'problem', problem: { code: 'missing_id', message, source } };
  }
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    const message = 'The file is not UTF-8 text: convert it, for example with iconv';
    return { kind: 'problem', problem: { code: 'not_utf8', message, source, id } };
  }
  if (text === '')
    return { kind: 'problem', problem: { code: 'missing_text', message: 'The file is empty', source, id } };
  return { kind: 'document', document: { id, text }, source };
}
