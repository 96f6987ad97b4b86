import { spawnSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { makeTemporaryFolder, type TemporaryFolder } from '../../helpers/temporary-folder.ts';

/**
 * A temporary folder apart from what was removed shortly before. ext4 makes no file in the place of one that was removed within
 * the last five minutes and looks at each such place, which makes a new file cost ten times as much (0.5 in place of 0.06 ms after
 * the tests have run) and so measures what ran before. A folder whose parent has the attribute T goes to a part of the disk that
 * its name chooses, so each has a name of its own: with one name the second run would lie where the first was removed. Elsewhere it
 * is a temporary folder like any other.
 */
export async function makeApartFolder(name: string): Promise<TemporaryFolder> {
  const parent = await makeTemporaryFolder(name);
  spawnSync('chattr', ['+T', parent.path]);
  const path = `${parent.path}/${basename(parent.path)}`;
  await mkdir(path);
  return { path, [Symbol.asyncDispose]: () => parent[Symbol.asyncDispose]() };
}
