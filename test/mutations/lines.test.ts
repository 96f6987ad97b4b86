import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { CHAOS_MUTATIONS } from './chaos-mutations.ts';
import { MUTATIONS } from './mutations.ts';

test.each([...MUTATIONS, ...CHAOS_MUTATIONS])('the line of "$name" stands once in $file', async ({ file, line }) => {
  const source = await readFile(new URL(`../../src/${file}`, import.meta.url), 'utf8');
  expect(source.split(line)).toHaveLength(2);
});
