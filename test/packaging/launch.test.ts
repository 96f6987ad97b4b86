import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { STARTED_OVER } from '../helpers/cli.ts';
import { NODE, programFiles } from '../helpers/program.ts';

const SAYS = `data:text/javascript,${encodeURIComponent(
  "import { writeSync } from 'node:fs'; writeSync(2, ['start', process.pid, process.env.MALLOC_ARENA_MAX, ...process.execArgv.filter((flag) => /^--.*(semi-space|scavenge|external-memory)/.test(flag))].join(' ') + '\\n')",
)}`;

/** Each start of the program's process: its id, the allocator's bound, the bound of the young generation. */
function starts(args: readonly string[], node: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  const { MALLOC_ARENA_MAX: _, ...given } = process.env;
  const { status, stderr, stdout } = spawnSync(NODE, ['--import', SAYS, ...node, programFiles().program, ...args], {
    env: { ...given, ...env },
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/Usage: nightmill/);
  return [...stderr.matchAll(/^start (\d+) (\S*) ?(.*)$/gm)].map(([, pid, arenas, young]) => ({ pid, arenas, young }));
}

test('a command that continues for long starts again in its process, with bounds on what V8 and the allocator keep', () => {
  const [first, second, ...more] = starts(['-q', 'serve', '--help']);
  expect(more).toEqual([]);
  expect(first).toMatchObject({ arenas: '', young: '' });
  expect(second).toEqual({ pid: first?.pid, arenas: '1', young: STARTED_OVER.node.join(' ') });
});

test('a download starts again as well, with a small young generation', () => {
  const [first, second] = starts(['results', '--help']);
  const young = '--max-semi-space-size=2 --min-semi-space-size=2 --no-parallel-scavenge';
  expect(second).toEqual({ pid: first?.pid, arenas: '1', young });
});

test('what a person has set stays', () => {
  expect(starts(['worker', '--help'], [], { MALLOC_ARENA_MAX: '4' })[1]).toMatchObject({ arenas: '4' });
  expect(starts(['worker', '--help'], [], { NODE_OPTIONS: '--max-semi-space-size=32' })).toHaveLength(1);
});

test('a short command starts once', () => {
  expect(starts(['status', '--help'])).toHaveLength(1);
});
