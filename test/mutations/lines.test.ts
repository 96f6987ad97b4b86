import { access, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { CHAOS_MUTATIONS } from './chaos-mutations.ts';
import { MUTATIONS } from './mutations.ts';

test.each([...MUTATIONS, ...CHAOS_MUTATIONS])(
  'the line of "$name" stands once in $file, and its tests are there',
  async ({ file, line, judge }) => {
    const source = await readFile(new URL(`../../src/${file}`, import.meta.url), 'utf8');
    expect(source.split(line)).toHaveLength(2);
    for (const path of 'tests' in judge ? judge.tests : []) await access(new URL(`../${path}`, import.meta.url));
  },
);
