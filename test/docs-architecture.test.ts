import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = readFileSync(`${root}docs/architecture.md`, 'utf8');

describe('docs/architecture.md', () => {
  it('names every room of src/, and no other', () => {
    const rooms = page.slice(page.indexOf('| room |'), page.indexOf('### From a word'));
    const listed = [...rooms.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name = '']) => name);
    const present = readdirSync(`${root}src`, { withFileTypes: true }).map((entry) =>
      entry.isDirectory() ? `${entry.name}/` : entry.name,
    );
    expect(listed.toSorted()).toEqual(present.toSorted());
  });

  it('names only files and folders that exist', () => {
    const paths = [...page.matchAll(/`((?:[a-z0-9-]+\/)+(?:[a-z0-9.-]+\.ts)?)`/g)].map(([, path = '']) => path);
    expect(paths.length).toBeGreaterThan(40);
    const bases = ['', 'src/', 'src/adapters/', 'src/tasks/'];
    expect(paths.filter((path) => !bases.some((base) => existsSync(`${root}${base}${path}`)))).toEqual([]);
  });
});
