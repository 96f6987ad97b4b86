import { createHash } from 'node:crypto';
import type { App } from '../../app.ts';
import type { FileRecord } from '../../compat/openai-records.ts';
import type { InputEntry } from '../../documents/document.ts';
import type { DocumentSource } from '../../documents/document-source.ts';
import { NightmillError } from '../../errors.ts';
import { storeKeys } from '../../store/store-keys.ts';
import { type LineRules, readBatchLines } from './input-lines.ts';

/** The requests of one model in a batch file that was checked, as documents. */
export function partSource(
  { store }: Pick<App, 'store'>,
  file: FileRecord,
  rules: LineRules,
  model: string,
): DocumentSource {
  async function* read(): AsyncGenerator<InputEntry, void, undefined> {
    const content = await store.getStream(storeKeys.fileContent(file.id));
    if (content === undefined) throw new NightmillError('input_changed', `The file ${file.id} was deleted.`);
    for await (const found of readBatchLines(content, rules)) {
      if ('code' in found || found.model !== model) continue;
      const { customId: id, text, line } = found;
      yield { kind: 'document', document: { id, text }, source: file.filename, line };
    }
  }
  // A file never changes, and its name is its submitter's: neither needs another look.
  const fingerprint = createHash('sha256').update(`${file.sha256}\0${model}`).digest('hex');
  return { names: [file.id], fingerprint: async () => fingerprint, read };
}
