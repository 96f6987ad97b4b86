import { closeSync, openSync, readSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { NightmillError } from '../../errors.ts';

const MAX_TAIL_BYTES = 16 * 1024;
const TAIL_LINES = 6;
/** Less than this free counts as a full disk. */
const MIN_FREE_BYTES = 64 * 1024;

/** The size of the log now, to read later only what was added. 0 where there is none. */
export function logSizeInBytes(logPath: string): number {
  return statSync(logPath, { throwIfNoEntry: false })?.size ?? 0;
}

/** Turns what the server and its supervisor logged since `fromByte` into one error with the next step. */
export function redisFailure(what: string, logPath: string, fromByte: number): NightmillError {
  const lines = tailOf(logPath, fromByte);
  const report = lines === '' ? 'It logged nothing. ' : `It logged:\n${lines}\n`;
  const nothingFree = freeBytes(dirname(logPath)) < MIN_FREE_BYTES ? 'no space left' : '';
  return new NightmillError('redis_unavailable', `${what} ${report}${nextStep(lines + nothingFree, logPath)}`);
}

/** A failure of a file operation in the Redis folder, said with its cure. */
export function folderFailure(redisFolder: string, error: unknown): NightmillError {
  const reason = error instanceof Error ? error.message : String(error);
  return new NightmillError(
    'redis_unavailable',
    `Cannot keep the embedded Redis in ${redisFolder}: ${reason}. ${nextStep(reason, redisFolder)}`,
    { cause: error },
  );
}

function nextStep(reason: string, place: string): string {
  if (/no space left|AOF write error|ENOSPC|EDQUOT|quota exceeded|database or disk is full/i.test(reason)) {
    return `The disk is full: free some space for ${place} and start again; nothing acknowledged is lost.`;
  }
  if (/EACCES|EPERM|EROFS|permission denied|read-only file system/i.test(reason)) {
    return 'Run in a folder that you may write to, or set `redis:` in nightmill.yaml to the URL of a running server.';
  }
  if (/ENOTDIR|EEXIST/.test(reason)) {
    return 'A file is where a folder belongs: move it away, or run in another folder.';
  }
  if (/bad file format|wrong signature|can't handle RDB format|unexpected end of file/i.test(reason)) {
    return `The data are damaged or were written by a newer server: see ${place}; \`redis-check-aof\` can repair the file, or a newer Redis can read it.`;
  }
  return `See ${place}, or set \`redis:\` in nightmill.yaml to the URL of a running server.`;
}

/** A server that dies of a full disk cannot always log it, so the disk is asked as well. */
function freeBytes(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    // The folder is gone or unreadable: that is not a full disk.
    return Number.POSITIVE_INFINITY;
  }
}

function tailOf(logPath: string, fromByte: number): string {
  const size = logSizeInBytes(logPath);
  const start = Math.max(fromByte <= size ? fromByte : 0, size - MAX_TAIL_BYTES);
  if (size === start) return '';
  const bytes = Buffer.alloc(size - start);
  const file = openSync(logPath, 'r');
  try {
    readSync(file, bytes, 0, bytes.length, start);
  } finally {
    closeSync(file);
  }
  return bytes.toString('utf8').trim().split('\n').slice(-TAIL_LINES).join('\n');
}
