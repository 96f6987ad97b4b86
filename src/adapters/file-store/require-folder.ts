import { stat } from 'node:fs/promises';
import { NightmillError } from '../../errors.ts';

/**
 * A store of files takes a folder that is not there for an empty one; whoever waits for files in it must be told.
 *
 * @throws {NightmillError} `input_invalid`
 */
export async function requireFolder(path: string, what: string): Promise<void> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => error);
  if (found instanceof Error) {
    throw new NightmillError(
      'input_invalid',
      `Cannot read ${what}, ${path}: ${found.code ?? found.message}. Make the folder, or mount it.`,
    );
  }
  if (!found.isDirectory()) {
    throw new NightmillError('input_invalid', `Cannot read ${what}, ${path}: it is no folder.`);
  }
}
