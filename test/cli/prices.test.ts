import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Catalogue } from '../../config/catalogue.ts';
import { runCli } from '../helpers/cli.ts';
import { makeTemporaryFolder } from '../helpers/temporary-folder.ts';

const catalogue = JSON.parse(
  readFileSync(new URL('../../config/prices/catalogue.json', import.meta.url), 'utf8'),
) as Catalogue;

const prices = (folder: string, ...args: string[]) => runCli(folder, ['prices', ...args]);

describe('nightmill prices', () => {
  it('prices a million requests with every model of the list, each by its own formula and with its day', async () => {
    await using folder = await makeTemporaryFolder();
    const asked = ['--requests', '1000000', '--input', '1500', '--output', '500', '--json'];
    const { code, stdout } = await prices(folder.path, ...asked);
    expect(code).toBe(0);
    const { models } = JSON.parse(stdout) as {
      models: { provider: string; id: string; asOf: string; costUsd: number }[];
    };
    const listed = Object.entries(catalogue.providers).flatMap(([provider, { models }]) =>
      Object.entries(models).map(([id, { input, output }]) => ({ provider, id, usd: 1500 * +input + 500 * +output })),
    );
    expect(models.map(({ provider, id }) => `${provider} ${id}`)).toEqual(
      listed.map(({ provider, id }) => `${provider} ${id}`),
    );
    for (const [index, { id, usd }] of listed.entries()) {
      const line = models[index];
      // Each call is rounded up to a billionth of a dollar: of a million calls that is at most a tenth of a cent.
      expect((line?.costUsd ?? 0) - usd, id).toBeGreaterThanOrEqual(-1e-6);
      expect((line?.costUsd ?? 0) - usd, id).toBeLessThanOrEqual(0.001 + 1e-6);
      expect(line?.asOf, id).toMatch(/^\d{4}-\d\d-\d\d$/);
    }
  });

  it('prices the same at a price that is stated', async () => {
    await using folder = await makeTemporaryFolder();
    const { stdout } = await prices(folder.path, 'mistral-small', '--requests', '1000000', '--price', '0.10/0.30');
    expect(stdout).toContain('at 0.10/0.30: $300.00');
    expect(stdout).toMatch(/mistral mistral-small-2603 .*2026-09-23/);
  });

  it('takes a list from a file, keeps it in the working folder and says where', async () => {
    await using folder = await makeTemporaryFolder();
    const file = join(folder.path, 'list.json');
    const models = { 'gpt-4o': { input: '1', output: '2' } };
    writeFileSync(file, JSON.stringify({ asOf: '2099-01-01', source: 'test', providers: { openai: { models } } }));
    const updated = await prices(folder.path, 'update', file);
    expect(updated.stderr).toBe('');
    expect(updated.stdout).toContain(join('.nightmill', 'prices.json'));
    const { stdout } = await prices(folder.path, 'openai/gpt-4o-mini', 'openai/gpt-4o', '--history');
    expect(stdout).toMatch(/^openai gpt-4o +1 +2 +128000 +16384 +2099-01-01/m);
    expect(stdout).toMatch(/^ {2}until 2099-01-01 +2\.5 +1\.25 +10$/m);
    expect(stdout).toMatch(/^openai gpt-4o-mini +0\.15/m);
  });

  it('refuses a list that is none, an unknown model and counts that are no numbers, without a stack trace', async () => {
    await using folder = await makeTemporaryFolder();
    const file = join(folder.path, 'list.json');
    writeFileSync(file, '{"asOf": "yesterday"}');
    const cases = [
      [['update', file], /asOf/],
      [['no-such-model'], /has no model with no-such-model in its name/],
      [['--requests', '5', '--price', '1'], /write USD per million tokens, as 0\.10\/0\.30/],
    ] as const;
    for (const [args, message] of cases) {
      const { code, stderr } = await prices(folder.path, ...args);
      expect(code, args.join(' ')).toBe(2);
      expect(stderr).toMatch(message);
      expect(stderr).not.toContain('    at ');
    }
  });
});
