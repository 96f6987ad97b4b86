import { expect, test } from 'vitest';
import { createLog } from '../../../src/adapters/pino/pino-log.ts';

test('a line that repeats is logged once a second, and the next one says how many were left out', () => {
  const lines: string[] = [];
  let now = 0;
  const log = createLog(
    'info',
    [],
    (line) => lines.push(line),
    () => now,
  );
  for (let index = 0; index < 500; index += 1) {
    log.error('worker:error', { queue: 'triage', message: `AccessDenied for batches/b/work/${index}/rows.gz` });
    now += 5;
  }
  const read = lines.map((line) => JSON.parse(line) as { leftOut?: number });
  expect(read.map(({ leftOut }) => leftOut)).toEqual([undefined, 199, 199]);
});

test('different lines and lines that say something each time are all logged', () => {
  const lines: string[] = [];
  const log = createLog(
    'info',
    [],
    (line) => lines.push(line),
    () => 0,
  );
  log.error('worker:error', { message: 'one thing' });
  log.error('worker:error', { message: 'another thing' });
  for (let slice = 0; slice < 5; slice += 1) log.info('slice:committed', { slice });
  expect(lines).toHaveLength(7);
});
