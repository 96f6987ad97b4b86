import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ERROR_CODES } from '../src/errors.ts';
import { REJECTION_CODES } from '../src/prompts/question.ts';

test('docs/errors.md lists every error code with its exit code, and no other', () => {
  const page = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8');
  const commands = page.slice(0, page.indexOf('## Error rows'));
  const documented = [...commands.matchAll(/^\| `(\w+)` \| (\d+) \| (\d+) \|/gm)].map(([, code, exit, http]) => [
    code,
    { exit: Number(exit), http: Number(http) },
  ]);
  expect(Object.fromEntries(documented)).toEqual(
    Object.fromEntries(Object.entries(ERROR_CODES).map(([code, { exit, http }]) => [code, { exit, http }])),
  );
});

test('docs/errors.md lists every reason for which a reply is not taken', () => {
  const page = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8');
  const rows = page.slice(page.indexOf('## Error rows')).split('\n');
  const failed = rows
    .filter((row) => row.includes('| failed |'))
    .flatMap((row) => row.split('|')[1]?.match(/\w+/g) ?? []);
  for (const code of REJECTION_CODES) expect(failed).toContain(code);
});
