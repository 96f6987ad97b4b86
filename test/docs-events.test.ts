import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { EVENTS } from '../src/runtime/events.ts';

const page = readFileSync(new URL('../docs/operation.md', import.meta.url), 'utf8');
const root = fileURLToPath(new URL('..', import.meta.url));

it('docs/operation.md lists every logged event with its sentence, and no other', () => {
  const listed = [...page.matchAll(/^\| `([a-z_]+:[a-z_]+)` \| (.+) \|$/gm)].map(([, name, sentence]) => [
    name,
    sentence,
  ]);
  expect(Object.fromEntries(listed)).toEqual(EVENTS);
});

it('every listed event is logged somewhere', () => {
  const sources = globSync('src/**/*.ts', { cwd: root })
    .filter((file) => file !== 'src/runtime/events.ts')
    .map((file) => readFileSync(`${root}${file}`, 'utf8'))
    .join('\n');
  for (const name of Object.keys(EVENTS)) expect(sources, name).toContain(`'${name}'`);
});
