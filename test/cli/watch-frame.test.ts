import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sampleLines } from '../../src/cli/run-samples.ts';
import { watchFrame } from '../../src/cli/watch-frame.ts';
import { STATUS } from '../fixtures/batch-status.ts';

const BATCHES = Array.from({ length: 30 }, (_, index) => ({ ...STATUS, batchId: `b-${index}` }));

test('as many batches as fit the screen, newest first, each with its bar; the rest is counted', () => {
  const lines = watchFrame(BATCHES, { rows: 12, columns: 60 });
  expect(lines.length).toBeLessThanOrEqual(11);
  expect(lines.every((line) => line.length < 60)).toBe(true);
  expect(lines.slice(0, 2)).toEqual([
    'b-0  running  (triage)',
    expect.stringMatching(/^ {2}████████████············ 50% {2}5\/10 documents/),
  ]);
  expect(lines.at(-1)).toBe('… 25 older ones; nightmill list has them all');
});

test('why a batch stands still is on the screen', () => {
  const paused = {
    ...STATUS,
    state: 'paused' as const,
    breaker: {
      state: 'open' as const,
      hold: { cause: 'operator' as const, reason: 'for the night', since: 0 },
      pauses: [{ cause: 'operator' as const, reason: 'for the night', since: 0, of: 'batch' as const }],
    },
  };
  const lines = watchFrame([paused, STATUS], { rows: 24, columns: 200 });
  expect(lines.join('\n')).toMatch(/paused .*for the night\n.*to resume .*nightmill resume b-1/);
});

test('one batch is shown whole, as far as the screen goes', () => {
  const lines = watchFrame([STATUS], { rows: 24, columns: 80 });
  expect(lines[1]).toContain('50%');
  expect(lines.join('\n')).toContain('documents  5 of 10 done');
  expect(watchFrame([STATUS], { rows: 3, columns: 80 })).toHaveLength(2);
});

test('a run ends with label counts and three answers, safe for a terminal', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nightmill-samples-'));
  try {
    const file = join(folder, 'results.jsonl');
    const rows = Array.from({ length: 6 }, (_, index) => ({
      id: index === 0 ? 'a\u001b[2J' : `d${index}`,
      result: { label: index < 4 ? 'bug' : 'billing' },
    }));
    await writeFile(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    expect(await sampleLines(file, { columns: 80 })).toEqual([
      '  labels     bug 4, billing 2',
      '  for example',
      '    a[2J  bug',
      '    d1  bug',
      '    d2  bug',
    ]);
    await writeFile(file, `${JSON.stringify({ id: 'x', result: { summary: `one\ntwo ${'long '.repeat(50)}` } })}\n`);
    const [, sample = ''] = await sampleLines(file, { columns: 60 });
    expect(sample).toMatch(/^ {4}x {2}one two long .*…$/);
    expect(sample.length).toBeLessThan(60);
    await writeFile(file, '');
    expect(await sampleLines(file, {})).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
