import { basename, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Config } from '../../config/config.ts';
import { openDocumentParser } from '../adapters/document-parser/open-document-parser.ts';
import { openStore } from '../adapters/open-store.ts';
import type { DocumentInput, InputReading } from '../documents/document-input.ts';
import { type DocumentSource, sourceOfInputs } from '../documents/document-source.ts';
import { spoolStream } from '../documents/spool-stream.ts';
import { NightmillError } from '../errors.ts';

export interface OpenedInputs extends AsyncDisposable {
  readonly inputs: readonly DocumentInput[];
  readonly source: DocumentSource;
  /** Of what came as a stream and is kept in files. */
  readonly spooledBytes: number;
}

export interface NamedStream {
  readonly name: string;
  readonly body: Readable;
}

/** Inputs by name, or documents that come as a stream and are kept in a file until they are stored. */
export interface InputNames {
  /** Files, folders, `s3://bucket/prefix`, or `-` for JSONL on `stdin`. */
  readonly names: readonly string[];
  readonly stdin?: Readable;
  /** What was sent, with the name that says its type; read after `names`. */
  readonly streams?: Iterable<NamedStream> | AsyncIterable<NamedStream>;
}

/** Where spooled inputs are while they are read: they are read more than once. */
function spoolFolder(config: Pick<Config, 'folder'>): string {
  return join(config.folder, 'tmp');
}

/**
 * Opens inputs; whoever opens them disposes of them, which removes what was spooled.
 *
 * @throws {NightmillError} `usage`: `-` twice or without standard input, a prefix without a bucket; and as `spoolStream`
 */
export async function openInputs(
  config: Pick<Config, 'folder' | 'store' | 'ingest'>,
  { names, stdin, streams = [] }: InputNames,
  options: Omit<InputReading, 'parser'> = {},
  signal?: AbortSignal,
): Promise<OpenedInputs> {
  await using stack = new AsyncDisposableStack();
  // Submission ends before the work on a batch begins, but a hostile file must not stop the command: see the parser.
  const reading = { ...options, parser: stack.use(openDocumentParser({ threads: config.ingest.threads })) };
  const inputs: DocumentInput[] = [];
  let spooledBytes = 0;
  const spool = async (body: Readable, name: string) => {
    const spooled = stack.use(await spoolStream(body, spoolFolder(config), name, signal));
    spooledBytes += spooled.bytes;
    return spooled.path;
  };
  for (const name of names) {
    if (name === '-') {
      if (stdin === undefined) throw new NightmillError('usage', 'There is no standard input (-) here.');
      if (inputs.some((input) => input.kind === 'spooled'))
        throw new NightmillError('usage', 'Standard input (-) can be named only once.');
      inputs.push({ kind: 'spooled', path: await spool(stdin, 'standard-input'), reading });
    } else if (name.startsWith('s3://')) {
      inputs.push({ kind: 'store', ...(await openPrefix(config, name, stack)), reading });
    } else {
      inputs.push({ kind: 'path', path: name, reading });
    }
  }
  const streamed: string[] = [];
  for await (const { name, body } of streams) {
    const path = await spool(body, name);
    inputs.push({ kind: 'path', path, sentAs: basename(path), reading });
    streamed.push(name);
  }
  const source = sourceOfInputs(inputs, [...names, ...streamed]);
  const kept = stack.move();
  return { inputs, source, spooledBytes, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Another bucket is read with the same endpoint and credentials as the store. */
async function openPrefix(config: Pick<Config, 'store'>, name: string, stack: AsyncDisposableStack) {
  const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(name) ?? [];
  if (bucket === '') throw new NightmillError('usage', `Cannot read ${name}: write s3://bucket/prefix.`);
  const store = await openStore({ ...config.store, url: `s3://${bucket}` });
  stack.defer(() => store.close());
  return { store, prefix };
}
