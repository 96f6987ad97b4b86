import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { MemoryStore } from '../../src/adapters/memory-store/memory-store.ts';
import { readReadiness } from '../../src/cli/read-readiness.ts';
import { StoreError } from '../../src/errors.ts';
import { storeKeys } from '../../src/store/store-keys.ts';

test('a limit for each document alone is no budget, because it holds no sum', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'ready-'));
  try {
    const workflow = (budget: string) => `{ task: summarize, cascade: [{ model: local }], budget: { ${budget} } }`;
    writeFileSync(
      join(cwd, 'nightmill.yaml'),
      `workflows: { one: ${workflow('document: 0.05')}, both: ${workflow('document: 0.05, batch: 5')} }\n`,
    );
    const openStore = () => Promise.reject(new StoreError('store_unavailable', 'The store cannot be reached'));
    const { workflows } = await readReadiness(loadConfig({ env: {}, cwd }), openStore, 0);
    expect(workflows.map(({ name, budgets }) => [name, budgets])).toEqual([
      ['one', []],
      ['both', ['batch $5.00', 'document $0.050']],
    ]);
  } finally {
    rmSync(cwd, { recursive: true });
  }
});

test('candidates are those that readiness.yaml names, else the versions of a workflow that were evaluated on one golden set', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'ready-'));
  try {
    writeFileSync(
      join(cwd, 'nightmill.yaml'),
      'workflows: { one: { task: summarize, cascade: [{ model: local }] } }\n',
    );
    const store = new MemoryStore();
    const evaluated = async (run: string, config: string, day: number, content = 'golden') => {
      const at = `2026-03-0${day}T00:00:00.000Z`;
      const evaluation = { run, workflow: 'one', evaluatedAt: at, hashes: { config, content } };
      await store.put(storeKeys.evaluation(run), Buffer.from(JSON.stringify(evaluation)));
    };
    await evaluated('small-1', 'small', 1);
    await evaluated('small-2', 'small', 2);
    await evaluated('large-1', 'large', 1);
    await evaluated('other-1', 'other', 3, 'another golden set');
    const candidates = async () => {
      const { evidence } = await readReadiness(loadConfig({ env: {}, cwd }), async () => store, 0);
      return [...evidence.candidates].sort();
    };
    expect(await candidates()).toEqual(['large-1', 'small-2']);
    writeFileSync(join(cwd, 'readiness.yaml'), 'candidates: [a, b, c]\n');
    expect(await candidates()).toEqual(['a', 'b', 'c']);
  } finally {
    rmSync(cwd, { recursive: true });
  }
});
