import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import type { Machine } from '../bench/helpers/machine.ts';
import { type RanReport, writeReports } from '../bench/helpers/report.ts';
import { type Benchmark, runAll } from '../bench/helpers/run-all.ts';
import { formatRows, listen, printSetting, printTable, type Table } from '../bench/helpers/table.ts';
import { makeTemporaryFolder } from '../helpers/temporary-folder.ts';

const MACHINE: Machine = {
  ...{ cores: 2, processor: 'CPU', memoryGib: 24, platform: 'linux x64', node: '26.10.0', redis: '7.0.15' },
  ...{ loadBefore: 0.5, commit: '34120e9', date: '2026-11-30T04:12:02.000Z' },
};
const TABLE: Table = {
  caption: 'What a document\ncosts',
  rows: [
    ['client', 'CPU', 'ratio', 'ratio'],
    ['worker | always', '0.12', '1.0', 'not installed'],
    ['script', '–', '2.0', '–'],
  ],
  note: 'CPU: of one\nprocess',
};
const REPORT: RanReport = {
  ...{ name: 'overhead', summary: 'What it costs', command: 'npm run bench -- overhead --quick', machine: MACHINE },
  ...{ seconds: 1.6049, setting: '10 documents,\n1 round.', tables: [TABLE] },
};

afterEach(() => {
  vi.restoreAllMocks();
});

test('what a benchmark prints is heard until nobody listens any more', () => {
  const said = vi.spyOn(console, 'log').mockImplementation(() => {});
  const heard: unknown[] = [];
  {
    using _listening = listen({ onSetting: (text) => heard.push(text), onTable: (table) => heard.push(table) });
    printSetting('10 documents.', MACHINE);
    printTable(TABLE);
  }
  printTable(TABLE);
  expect(heard).toEqual(['10 documents.', TABLE]);
  expect(said.mock.calls.map(([text]) => text)[0]).toBe(
    '10 documents.\n2 x CPU, 24 GiB, linux x64, Node 26.10.0, Redis 7.0.15, load before: 0.50, commit 34120e9, 2026-11-30 04:12 UTC\n',
  );
});

test('on a terminal figures stand to the right, and so does the sign for none', () => {
  expect(
    formatRows([
      ['client', 'CPU ms'],
      ['a', '1,234.5'],
      ['b', '–'],
      ['c', 'not installed'],
    ]),
  ).toBe(['client  CPU ms', 'a             1,234.5', 'b                   –', 'c       not installed'].join('\n'));
});

test('a report is one JSON, whose rows name their columns, and one page of Markdown', async () => {
  await using folder = await makeTemporaryFolder('bench-report');
  const broken = { ...REPORT, name: 'quota', tables: [], problem: 'It failed:\nno Redis' };
  const leftOut = { name: 'weeks', summary: 'Takes weeks', leftOut: 'it takes weeks' };
  const [json = '', markdown = ''] = await writeReports(join(folder.path, 'new'), [REPORT, broken, leftOut]);
  const rows = [
    { client: 'worker | always', CPU: '0.12', ratio: '1.0', 'ratio 2': 'not installed' },
    { client: 'script', CPU: '–', ratio: '2.0', 'ratio 2': '–' },
  ];
  const told = { seconds: 1.6, setting: '10 documents, 1 round.' };
  expect(JSON.parse(await readFile(json, 'utf8'))).toEqual({
    version: 2,
    benchmarks: [
      { ...REPORT, ...told, tables: [{ caption: 'What a document costs', rows, note: 'CPU: of one process' }] },
      { ...broken, ...told },
      leftOut,
    ],
  });
  const machine =
    '2 x CPU, 24 GiB, linux x64, Node 26.10.0, Redis 7.0.15, load before: 0.50, commit 34120e9, 2026-11-30 04:12 UTC';
  expect(await readFile(markdown, 'utf8')).toBe(`# Benchmarks

## overhead

What it costs.

\`npm run bench -- overhead --quick\`, 2 s. ${machine}.

10 documents, 1 round.

**What a document costs**

| client | CPU | ratio | ratio |
| --- | ---: | ---: | --- |
| worker \\| always | 0.12 | 1.0 | not installed |
| script | – | 2.0 | – |

CPU: of one process.

## quota

What it costs.

\`npm run bench -- overhead --quick\`, 2 s. ${machine}.

10 documents, 1 round.

**It failed: no Redis**

## weeks

Takes weeks.

Left out: it takes weeks
`);
});

test('all of them run to the end: with the arguments they name, past one that fails, without those that are left out', async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {});
  const complained = vi.spyOn(console, 'error').mockImplementation(() => {});
  await using folder = await makeTemporaryFolder('bench-all');
  const given: string[][] = [];
  const short: Benchmark = {
    summary: 'Short',
    inAll: ['--quick', '--rounds', '1'],
    run: async (args) => {
      given.push([...args]);
      printSetting('Two documents.', MACHINE);
      printTable(TABLE);
    },
  };
  const failing: Benchmark = {
    summary: 'Fails',
    run: async (args) => {
      given.push([...args]);
      printTable(TABLE);
      throw new Error('There is no Redis');
    },
  };
  const missed: Benchmark = {
    summary: 'Misses its bound',
    run: async () => {
      process.exitCode = 1;
    },
  };
  const long: Benchmark = { summary: 'Long', inAll: { leftOut: 'it takes weeks' }, run: failing.run };
  const before = process.exitCode;
  try {
    process.exitCode = undefined;
    await runAll([['short', short]], folder.path);
    expect(process.exitCode).toBeUndefined();
    const all = { failing, long, missed, short };
    const [json = ''] = await runAll(Object.entries(all), folder.path);
    expect(process.exitCode).toBe(1);
    expect(given).toEqual([['--quick', '--rounds', '1'], [], ['--quick', '--rounds', '1']]);
    expect(complained).toHaveBeenCalledTimes(1);
    const { benchmarks } = JSON.parse(await readFile(json, 'utf8'));
    expect(benchmarks).toMatchObject([
      { name: 'failing', command: 'npm run bench -- failing', problem: 'It failed: There is no Redis', tables: [{}] },
      { name: 'long', leftOut: 'it takes weeks' },
      { name: 'missed', problem: 'It ended with code 1', tables: [] },
      { name: 'short', command: 'npm run bench -- short --quick --rounds 1', setting: 'Two documents.', tables: [{}] },
    ]);
    expect(benchmarks[3]).not.toHaveProperty('problem');
  } finally {
    process.exitCode = before;
  }
});
