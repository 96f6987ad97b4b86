import { createHash } from 'node:crypto';
import { findKeyFault } from '../store/object-key.ts';
import { type DocumentInput, isDocumentContent, kindOfName } from './document-input.ts';
import { listFolder } from './list-folder.ts';
import { listStorePrefix, openObject } from './list-store-prefix.ts';
import { nameInputs } from './name-inputs.ts';
import { type Bytes, kindOfPath, openFile } from './open-input.ts';

/**
 * Tells whether inputs are the same as last time: a SHA-256 in hex over, in the order given,
 *
 * - JSONL files and standard input: their unpacked content, so that neither name nor compression matters;
 * - CSV and Parquet files: name (their rows may be named by it) and content;
 * - documents and folders of them: the relative name and content of each, and the names of links that cannot be read;
 * - store prefixes: key, size and etag of each object that is read; its content where the store has no etags.
 *
 * Before each input that is read in another than the default way: its delimiter, its encoding, its fields and how its formats are read.
 *
 * Reads files whole, in bounded memory.
 *
 * @throws {NightmillError} `input_invalid`: missing, unreadable or damaged
 */
export async function fingerprintInput(inputs: readonly DocumentInput[], signal?: AbortSignal): Promise<string> {
  const total = createHash('sha256');
  const names = await nameInputs(inputs);
  for (const [index, input] of inputs.entries()) {
    // JSON keeps the parts apart: no name or content can be taken for another one's.
    for await (const part of partsOf(input, names[index] ?? '', signal)) total.update(`${JSON.stringify(part)}\n`);
  }
  return total.digest('hex');
}

async function* partsOf(
  input: DocumentInput,
  name: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly (string | number)[]> {
  const { encoding, fields, delimiter, formats } = input.reading ?? {};
  if (delimiter !== undefined) yield ['delimiter', delimiter];
  if (encoding !== undefined || fields !== undefined) {
    const { text = '', id = '', metadata = [] } = fields ?? {};
    yield ['reading', encoding ?? '', text, id, typeof metadata === 'string' ? metadata : JSON.stringify(metadata)];
  }
  if (formats !== undefined) yield ['formats', formats.html ?? '', formats.pdfPagesWithoutText ?? ''];
  if (input.kind === 'spooled') yield ['lines', await hashFile(signal, input.path, '-')];
  else if (input.kind === 'store') {
    if (name !== '') yield ['named', name];
    for await (const item of listStorePrefix(input.store, input.prefix)) {
      const { key, bytes, etag } = item.info;
      if (item.content === 'other') continue;
      if (findKeyFault(key) !== undefined) yield ['unusable', key];
      else {
        yield ['object', key, bytes, etag ?? (await hashContent(openObject(input.store, item), signal))];
      }
    }
  } else if ((await kindOfPath(input.path)) === 'file') {
    const { path, sentAs = path } = input;
    const { content, compression } = kindOfName(sentAs);
    const hash = await hashFile(signal, path, sentAs, compression);
    if (isDocumentContent(content)) yield ['text', name, hash];
    else if (content === 'csv' || content === 'parquet') yield ['table', name, hash];
    else yield ['lines', hash];
  } else {
    if (name !== '') yield ['named', name];
    for await (const item of listFolder(input.path)) {
      if (item.kind === 'unusable') yield ['unusable', item.name];
      else if (item.kind === 'document')
        yield [
          isDocumentContent(item.content) ? 'text' : item.content,
          item.name,
          await hashFile(signal, item.path, item.path, item.compression),
        ];
    }
  }
}

async function hashContent(
  bytes: Bytes,
  signal: AbortSignal | undefined,
  release?: (chunk: Uint8Array) => void,
): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of bytes) {
    signal?.throwIfAborted();
    hash.update(chunk);
    release?.(chunk);
  }
  return hash.digest('hex');
}

/** The pieces of a file belong to whoever reads it. Left to the collector, which has little to do meanwhile, 64 MB of them would pile up. */
async function hashFile(signal: AbortSignal | undefined, ...file: Parameters<typeof openFile>): Promise<string> {
  return await hashContent(openFile(...file), signal, ({ buffer, byteLength }) => {
    if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
  });
}
