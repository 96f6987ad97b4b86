import { Readable } from 'node:stream';
import type { MultipartFile, MultipartValue } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { NightmillError } from '../errors.ts';

export type Part = MultipartFile | MultipartValue<string>;

/**
 * The parts of a multipart body; each file is read to its end before the next part comes.
 *
 * @throws {NightmillError} `usage`: the body is cut off or is no multipart
 */
export async function* partsOf(request: FastifyRequest): AsyncGenerator<Part, void, undefined> {
  const parts = (request.parts() as AsyncIterable<Part>)[Symbol.asyncIterator]();
  for (;;) {
    const next = await parts.next().catch((error: unknown) => {
      throw refusalOf(error);
    });
    if (next.done === true) return;
    yield next.value;
  }
}

/** The bytes of a file in a multipart body. Errors as {@link partsOf}. */
export function bytesOf({ file }: MultipartFile): Readable {
  async function* read(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* file;
    } catch (error) {
      throw refusalOf(error);
    }
  }
  return Readable.from(read(), { objectMode: false });
}

/** The parser's own errors are plain ones, of which nobody can tell that they are the client's. */
function refusalOf(error: unknown): unknown {
  const { message, statusCode } = error as Error & { readonly statusCode?: number };
  if (error instanceof NightmillError || statusCode !== undefined) return error;
  return new NightmillError('usage', `Cannot read the multipart body: ${message}. Send all of it, with its boundary.`);
}
