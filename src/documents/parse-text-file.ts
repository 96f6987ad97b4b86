import { decodeText } from '../text/decode-text.ts';
import { quoteValue } from '../text/quote-value.ts';
import type { InputEntry } from './document.ts';
import { findIdFault } from './document-id.ts';

/**
 * Makes one document of a whole text file. Problems: `missing_id` where the name cannot be an id, `not_utf8`,
 * `missing_text` where the file is empty. A byte order mark is dropped.
 *
 * @param encoding where no byte order mark says another; default UTF-8
 * @param id relative path of the file, with forward slashes
 */
export function parseTextFile(
  bytes: Uint8Array,
  { id, source, encoding }: { readonly id: string; readonly source: string; readonly encoding?: string | undefined },
): InputEntry {
  const fault = findIdFault(id);
  if (fault !== undefined) {
    const message = `The file's name cannot be a document id: it ${fault}: ${quoteValue(id)}`;
    return { kind: 'problem', problem: { code: 'missing_id', message, source } };
  }
  const decoded = decodeText(bytes, encoding);
  if ('fault' in decoded) {
    return { kind: 'problem', problem: { code: 'not_utf8', message: `The file ${decoded.fault}`, source, id } };
  }
  const { text } = decoded;
  if (text === '')
    return { kind: 'problem', problem: { code: 'missing_text', message: 'The file is empty', source, id } };
  return { kind: 'document', document: { id, text }, source };
}
