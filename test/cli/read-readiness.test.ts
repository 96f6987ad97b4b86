import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { readReadiness } from '../../src/cli/read-readiness.ts';

test('a limit for each document alone is no budget, because it holds no sum', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'ready-'));
  try {
    const workflow = (budget: string) => `{ task: summarize, cascade: [{ model: local }], budget: { ${budget} } }`;
    writeFileSync(
      join(cwd, 'nightmill.yaml'),
      `workflows: { one: ${workflow('document: 0.05')}, both: ${workflow('document: 0.05, batch: 5')} }\n`,
    );
    const openStore = () => Promise.reject(new Error('There is no gate'));
    const { workflows } = await readReadiness(loadConfig({ env: {}, cwd }), openStore, 0);
    expect(workflows.map(({ name, budgets }) => [name, budgets])).toEqual([
      ['one', []],
      ['both', ['batch $5.00', 'document $0.050']],
    ]);
  } finally {
    rmSync(cwd, { recursive: true });
  }
});
