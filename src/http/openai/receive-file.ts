import type { FastifyRequest } from 'fastify';
import type { App } from '../../app.ts';
import type { FileRecord } from '../../compat/openai-records.ts';
import { storeKeys } from '../../store/store-keys.ts';
import { bytesOf, partsOf } from '../multipart-parts.ts';
import { MAX_UPLOAD_BYTES } from '../receive-upload.ts';
import { storeContent } from './file-content.ts';
import { invalidType, invalidValue, missingParameter, OpenAiError } from './openai-error.ts';
import { readExpiresAfter } from './read-batch-request.ts';

const DEFAULT_SECONDS = 30 * 24 * 3600;
const MAX_NAME_UNITS = 200;

type Stored = Pick<FileRecord, 'filename' | 'bytes' | 'sha256'>;

/**
 * Reads a multipart upload, in which the file may come before or after the fields that say what it is for: it goes to
 * the store as it comes, and leaves it again where the rest of the form is wrong.
 *
 * @throws {OpenAiError} 400
 */
export async function receiveFile(app: App, request: FastifyRequest): Promise<FileRecord> {
  if (!request.isMultipart()) {
    throw new OpenAiError(400, 'A file is uploaded as multipart/form-data with the parts file and purpose.');
  }
  const id = `file-${app.submit.newId().replaceAll('-', '')}`;
  try {
    const { stored, fields } = await readParts(app, request, id);
    const { purpose } = fields;
    if (purpose === undefined) throw missingParameter('purpose');
    if (purpose !== 'batch') throw invalidValue('purpose', purpose, "'batch'");
    if (stored === undefined) throw missingParameter('file');
    const seconds = readExpiresAfter('expires_after', expiresAfterOf(fields)) ?? DEFAULT_SECONDS;
    const createdAt = app.clock.now();
    const { tenant } = request.caller;
    const owner = tenant === undefined ? {} : { tenant };
    const file = {
      id,
      ...owner,
      purpose: 'batch' as const,
      ...stored,
      createdAt,
      expiresAt: createdAt + seconds * 1_000,
    };
    await app.openai.addFile(file);
    return file;
  } catch (error) {
    await app.store.delete([storeKeys.fileContent(id)]);
    throw error;
  }
}

async function readParts(
  app: App,
  request: FastifyRequest,
  id: string,
): Promise<{ readonly stored: Stored | undefined; readonly fields: Readonly<Record<string, string>> }> {
  const fields: Record<string, string> = {};
  let stored: Stored | undefined;
  let fault: OpenAiError | undefined;
  for await (const part of partsOf(request)) {
    if (part.type === 'field') {
      if (part.fieldname === 'file') fault = invalidType('file', part.value, 'a file');
      fields[part.fieldname] = part.value;
      continue;
    }
    const filename = cleanName(part.filename);
    if (part.fieldname !== 'file' || !/\.jsonl$/i.test(filename)) {
      // The rest is read all the same: a client that still sends would not see the answer.
      part.file.resume();
      fault ??= new OpenAiError(400, 'Invalid file format for Batch API. Must be .jsonl');
      continue;
    }
    stored = { filename, ...(await storeContent(app, id, bytesOf(part))) };
    if (part.file.truncated) {
      throw new OpenAiError(413, `The file has more than ${MAX_UPLOAD_BYTES} bytes, the most in one upload.`);
    }
  }
  if (fault !== undefined) throw fault;
  return { stored, fields };
}

function expiresAfterOf(fields: Readonly<Record<string, string>>): Readonly<Record<string, string>> | undefined {
  const { 'expires_after[anchor]': anchor, 'expires_after[seconds]': seconds } = fields;
  if (anchor === undefined && seconds === undefined) return undefined;
  return { ...(anchor === undefined ? {} : { anchor }), ...(seconds === undefined ? {} : { seconds }) };
}

/** It stands in headers and lists: one line, and not long; the end says its type. */
function cleanName(name: string): string {
  return name
    .replace(/[\p{Cc}"\\/]/gu, '_')
    .slice(-MAX_NAME_UNITS)
    .toWellFormed();
}
