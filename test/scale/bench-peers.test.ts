import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Client, costTable, type Measured, medianCost, timesSdk } from '../bench/helpers/cost-table.ts';
import { installPeers, PEERS } from '../bench/helpers/install-peers.ts';
import { makeTemporaryFolder } from '../helpers/temporary-folder.ts';

const MEASURED: Measured = {
  calls: 1_000,
  wallMs: 500,
  cpuMs: 400,
  providerCpuMs: 30,
  requestBytes: 2_067,
  gapsMs: [],
};
const FIGURES = 'client,documents/s,CPU ms/document,Redis CPU ms/document,Redis appendfsync,documents/CPU s,times SDK';

/** The first columns of each row. */
function cells(outcomes: Parameters<typeof costTable>[0]): string[] {
  return costTable(outcomes).rows.map((row) => row.slice(0, 7).join(','));
}

test('the table of costs sets each client beside the SDK script, and a client without a Redis has no figure for one', () => {
  const worker: Measured = { ...MEASURED, cpuMs: 200, redis: { cpuMs: 50, appendfsync: 'everysec' } };
  const outcomes = [
    ['sdk', { rounds: [MEASURED] }],
    ['systemEverysec', { rounds: [worker] }],
  ] as const;
  expect(cells(outcomes)).toEqual([
    FIGURES,
    'p-limit + openai SDK,2,000,0.400,–,–,2,500,1.00',
    'nightmill worker, everysec,2,000,0.200,0.050,everysec,5,000,2.00',
  ]);
});

test('a peer that is not installed has no figures, and the note says why', () => {
  const outcomes: [Client, Parameters<typeof costTable>[0][number][1]][] = [
    ['langchain', { notMeasured: 'npm ci ended with 1: ENOTFOUND' }],
    ['undici', { rounds: [MEASURED] }],
  ];
  expect(cells(outcomes)).toEqual([
    FIGURES,
    'LangChain JS .batch,not installed,–,–,–,–,–',
    'undici loop,2,000,0.400,–,–,2,500,–',
  ]);
  expect(costTable(outcomes, ['fewer']).note).toMatch(
    /; fewer; LangChain JS \.batch: not installed, npm ci ended with 1: ENOTFOUND$/,
  );
});

test('of several rounds the one with the middle cost counts, the cheaper of two', () => {
  const rounds = [3, 1, 2].map((cpuMs) => ({ ...MEASURED, cpuMs }));
  expect(medianCost(rounds).cpuMs).toBe(2);
  expect(medianCost(rounds.slice(0, 2)).cpuMs).toBe(1);
  expect(() => medianCost([])).toThrow('at least one round');
});

test('times SDK is the middle of the rounds, each beside the SDK script of the same round', () => {
  const rounds = (...each: readonly number[]) => each.map((cpuMs) => ({ ...MEASURED, cpuMs }));
  // 2, 1 and 3 times; of the middle costs it would be 400 of 300.
  expect(timesSdk(rounds(200, 400, 300), rounds(400, 400, 900))).toBe(2);
  expect(timesSdk(rounds(200, 400), rounds(400, 400))).toBe(1);
  expect(() => timesSdk([], [])).toThrow('at least one round');
});

test('peers that cannot be installed say why, and are asked for again', async () => {
  await using folder = await makeTemporaryFolder('peers');
  await writeFile(join(folder.path, 'package.json'), JSON.stringify({ name: 'peers', private: true }));
  const outcome = installPeers(folder.path);
  if (outcome.status !== 'not_installed') throw new Error('A folder without a lock file was installed');
  expect(outcome.reason).toMatch(/^npm ci ended with 1: .*package-lock\.json/);
  expect(outcome.reason).not.toContain('A complete log');
  await writeFile(
    join(folder.path, 'package-lock.json'),
    JSON.stringify({ name: 'peers', lockfileVersion: 3, requires: true, packages: { '': { name: 'peers' } } }),
  );
  await mkdir(join(folder.path, 'node_modules'));
  expect(installPeers(folder.path)).toEqual({ status: 'installed' });
  expect(existsSync(join(folder.path, 'node_modules/.installed'))).toBe(true);
});

test('the peers’ versions are exact, locked with checksums, and none of them is a dependency of the project', async () => {
  const read = async (path: string) => JSON.parse(await readFile(path, 'utf8'));
  const { dependencies } = await read(join(PEERS, 'package.json'));
  const { packages } = await read(join(PEERS, 'package-lock.json'));
  const project = await read(join(PEERS, '../../../package.json'));
  const names = Object.keys(dependencies);
  expect(names).toContain('@langchain/openai');
  for (const name of names) expect(packages[`node_modules/${name}`].version).toBe(dependencies[name]);
  for (const [path, { integrity }] of Object.entries<{ integrity?: string }>(packages)) {
    if (path !== '') expect(integrity, path).toMatch(/^sha512-/);
  }
  // The same SDK in both rows.
  expect(dependencies.openai).toBe(project.devDependencies.openai);
  const own = Object.keys({ ...project.dependencies, ...project.devDependencies, ...project.optionalDependencies });
  expect(own.filter((name) => name.startsWith('@langchain/'))).toEqual([]);
});
