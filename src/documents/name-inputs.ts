import { resolve, sep } from 'node:path';
import type { DocumentInput } from './document-input.ts';
import { kindOfPath } from './open-input.ts';

/**
 * What names the documents of each input: a file's name, or what the names in a folder or prefix begin with. Of one input it is
 * the last part of its path, and nothing for a folder; of several, as much of each path as tells them apart, so that
 * `run jan/ feb/` makes `jan/a.txt` and `feb/a.txt`. Nothing but the inputs' own paths decides: more files in one of them change no id.
 *
 * @throws {NightmillError} `input_invalid`: a path is missing or neither a file nor a folder
 */
export async function nameInputs(inputs: readonly DocumentInput[]): Promise<readonly string[]> {
  const paths = inputs.map(segmentsOf);
  return await Promise.all(
    inputs.map(async (input, index) => {
      if (input.kind === 'spooled') return '-';
      const isFile = input.kind === 'path' && (await kindOfPath(input.path)) === 'file';
      if (!isFile && inputs.length === 1) return '';
      const name = shortestOwn(paths[index] ?? [], paths);
      return isFile ? name : `${name}/`;
    }),
  );
}

function segmentsOf(input: DocumentInput): readonly string[] {
  if (input.kind === 'spooled') return ['-'];
  const path =
    input.kind === 'path'
      ? (input.sentAs ?? resolve(input.path))
      : `${input.store.url}/${input.prefix.slice(0, input.prefix.lastIndexOf('/') + 1)}`;
  return path.split(input.kind === 'path' ? sep : '/').filter((segment) => segment !== '');
}

/** The end of a path that no other path has; the same path twice is no other. */
function shortestOwn(path: readonly string[], paths: readonly (readonly string[])[]): string {
  const whole = path.join('/');
  const others = paths.map((other) => other.join('/')).filter((other) => other !== whole);
  for (let count = 1; count < path.length; count++) {
    const tail = path.slice(-count).join('/');
    if (!others.some((other) => other === tail || other.endsWith(`/${tail}`))) return tail;
  }
  return whole;
}
