import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formatTable, onTable, type Table } from '../bench/helpers/machine.ts';
import { writeReports } from '../bench/helpers/report.ts';
import { makeTemporaryFolder } from '../helpers/temporary-folder.ts';

const TABLE: Table = [
  ['client', 'CPU', 'ratio', 'ratio'],
  ['worker', '0.12', '1.0', '2.0'],
];

test('tables that a benchmark prints are heard until nobody listens any more', () => {
  const heard: Table[] = [];
  {
    using _listening = onTable((table) => heard.push(table));
    formatTable(TABLE);
  }
  formatTable(TABLE);
  expect(heard).toEqual([TABLE]);
});

test('a report is one JSON, whose rows name their columns, and one page of Markdown', async () => {
  await using folder = await makeTemporaryFolder('bench-report');
  const report = { name: 'overhead', summary: 'What it costs', machine: '2 x CPU', seconds: 1.6, tables: [TABLE] };
  const [json = '', markdown = ''] = await writeReports(join(folder.path, 'new'), [report]);
  expect(JSON.parse(await readFile(json, 'utf8'))).toEqual({
    version: 1,
    benchmarks: [{ ...report, tables: [[{ client: 'worker', CPU: '0.12', ratio: '1.0', 'ratio 2': '2.0' }]] }],
  });
  expect(await readFile(markdown, 'utf8')).toBe(
    '## overhead\n\nWhat it costs. 2 x CPU; 2 s.\n\n| client | CPU | ratio | ratio |\n| --- | --- | --- | --- |\n| worker | 0.12 | 1.0 | 2.0 |\n\n',
  );
});
