import { parentPort } from 'node:worker_threads';
import type { ParsedDocument } from '../../documents/document-parser.ts';
import type { ParquetReader } from './parquet-reader.ts';
import type { ParserReply, ParserRequest } from './protocol.ts';

/** The thread that parses documents, one request at a time. The parsers are loaded when the first of their kind comes. */
const port = parentPort;
if (port === null) throw new Error('The document parser is a worker thread: open it with openDocumentParser()');

let table: ParquetReader | undefined;
let lastRead = 0;
const reads = new Map<number, (bytes: Uint8Array) => void>();

port.on('message', (request: ParserRequest) => {
  if (request.kind === 'bytes') {
    reads.get(request.read)?.(request.bytes);
    reads.delete(request.read);
    return;
  }
  void answer(request).then((reply) => port.postMessage(reply));
});

async function answer(request: Exclude<ParserRequest, { kind: 'bytes' }>): Promise<ParserReply> {
  try {
    if (request.kind === 'document') return { kind: 'document', parsed: await parse(request) };
    if (request.kind === 'open-table') {
      const { ParquetReader } = await import('./parquet-reader.ts');
      table = await ParquetReader.open({ byteLength: request.byteLength, read });
      return { kind: 'table', columns: table.columns, groups: table.groups };
    }
    if (table === undefined) throw new Error('no table is open');
    return { kind: 'rows', ...(await table.rows(request.group, request.from, request.columns)) };
  } catch (error) {
    return { kind: 'fault', message: describeFault(error) };
  }
}

/** The reader's libraries say what is wrong in their own code, where a file keeps no promise of its format. */
function describeFault(error: unknown): string {
  if (error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError)
    return 'it is damaged';
  return error instanceof Error ? error.message : String(error);
}

async function parse(request: ParserRequest & { readonly kind: 'document' }): Promise<ParsedDocument> {
  try {
    if (request.format === 'pdf') return await (await import('./pdf-to-text.ts')).pdfToText(request.bytes, request);
    if (request.format === 'mail') return await (await import('./mail-to-text.ts')).mailToText(request.bytes, request);
    return (await import('./html-to-text.ts')).htmlToText(request.bytes, request);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: 'problem', code: 'unreadable_file', message: `The file cannot be parsed: ${reason.slice(0, 120)}` };
  }
}

function read(start: number, end: number): Promise<Uint8Array> {
  lastRead += 1;
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  reads.set(lastRead, resolve);
  port?.postMessage({ kind: 'read', read: lastRead, start, end } satisfies ParserReply);
  return promise;
}
