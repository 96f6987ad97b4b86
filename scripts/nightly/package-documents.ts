import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** One input line. The id is the path below `node_modules`, e.g. `@aws-sdk/client-s3/README.md`. */
export interface PackageDocument {
  readonly id: string;
  readonly text: string;
  readonly metadata: { readonly package: string; readonly kind: 'readme' | 'changelog' };
}

const NAME = /^(readme|changelog|history)([._-].*)?$/i;
/** Programs and data may have such a name too, e.g. `history.js`. */
const PROSE = /\.(md|markdown|mkd|rst|txt)$/i;

/**
 * The READMEs and changelogs of all installed packages, those inside of others included, in the order of their ids.
 * Files that are empty or no text are left out; the same text in two packages counts twice.
 *
 * @param folder a `node_modules` folder
 */
export function packageDocuments(folder: string): readonly PackageDocument[] {
  const documents: PackageDocument[] = [];
  for (const entry of globSync('**/*', { cwd: folder, withFileTypes: true })) {
    if (!entry.isFile() || !NAME.test(entry.name) || (entry.name.includes('.') && !PROSE.test(entry.name))) continue;
    const path = join(entry.parentPath, entry.name);
    const text = readText(path);
    if (text === undefined) continue;
    const id = path.slice(folder.length + 1);
    const kind = /^readme/i.test(entry.name) ? 'readme' : 'changelog';
    documents.push({ id, text, metadata: { package: packageOf(id), kind } });
  }
  return documents.sort((a, b) => (a.id < b.id ? -1 : 1));
}

function readText(path: string): string | undefined {
  const bytes = readFileSync(path);
  // A zero byte is in every binary format and in no README.
  if (bytes.includes(0)) return undefined;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return text.trim() === '' ? undefined : text;
  } catch {
    return undefined;
  }
}

/** `a/node_modules/@b/c/lib/README.md` belongs to `@b/c`. */
function packageOf(id: string): string {
  const inside = dirname(id).split('node_modules/').at(-1) ?? '';
  const parts = inside.split('/');
  return parts.slice(0, parts[0]?.startsWith('@') ? 2 : 1).join('/');
}
