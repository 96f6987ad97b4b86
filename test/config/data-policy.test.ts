import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import type { NightmillError } from '../../src/errors.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nightmill-policy-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Problems of a workflow that requires this of providers with these policies; empty: none. */
function problemsOf(required: string, first: string, spare = first): string {
  const file = join(folder, 'nightmill.yaml');
  const provider = (policy: string) =>
    `{ kind: openai, baseUrl: "http://127.0.0.1:9/v1"${policy && `, dataPolicy: ${policy}`} }`;
  writeFileSync(
    file,
    `providers: { first: ${provider(first)}, second: ${provider(spare)} }
models: { a: { provider: first, id: a-1 }, b: { provider: second, id: b-1 } }
workflows: { w: { task: summarize, require: ${required}, cascade: [{ model: local }, { model: a, fallback: [b] }] } }
`,
  );
  try {
    loadConfig({ file, env: {}, cwd: folder });
  } catch (error) {
    return (error as NightmillError).message;
  }
  return '';
}

const FULL = '{ location: local, training: false, retentionDays: 0, region: eu, certificates: [iso27001, soc2] }';

describe('require in a workflow', () => {
  it.each([
    ['{ location: local }', '{ location: remote }'],
    ['{ training: false }', '{ training: true }'],
    ['{ retentionDays: 30 }', '{ retentionDays: 31 }'],
    ['{ region: eu }', '{ region: us }'],
    ['{ region: [eu, ch] }', '{ region: us }'],
    ['{ certificates: [iso27001, soc2] }', '{ certificates: [soc2] }'],
  ])(
    '%s refuses a provider that states %s, and one that states nothing, and accepts one that has it',
    (required, stated) => {
      const setting = /\w+/.exec(required)?.[0] ?? '';
      expect(problemsOf(required, stated)).toMatch(
        new RegExp(`workflows\\.w\\.cascade\\.1: the workflow requires ${setting}: .*first \\(model a\\)`),
      );
      expect(problemsOf(required, '')).toContain(
        'states nothing about it; if its terms promise it, write providers.first',
      );
      expect(problemsOf(required, FULL)).toBe('');
    },
  );

  it('holds fallbacks to it too', () => {
    const problem = problemsOf('{ training: false }', FULL, '');
    expect(problem).toContain('second (model b)');
    expect(problem).not.toContain('first (model a)');
  });

  it('names everything that is not met at once', () => {
    expect(problemsOf('{ training: false, region: eu }', '').match(/the workflow requires/g)).toHaveLength(4);
  });
});
