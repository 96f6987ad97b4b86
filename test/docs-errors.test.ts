import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ERROR_CODES } from '../src/errors.ts';

test('docs/errors.md lists every error code with its exit code, and no other', () => {
  const page = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8');
  const commands = page.slice(0, page.indexOf('## Error rows'));
  const documented = [...commands.matchAll(/^\| `(\w+)` \| (\d) \|/gm)].map(([, code, exit]) => [code, Number(exit)]);
  expect(Object.fromEntries(documented)).toEqual(ERROR_CODES);
});
