import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { NODE, programFiles } from '../helpers/program.ts';

/** Runs the program with its standard output on a pipe that nobody reads. */
function runIntoClosedPipe(args: string): { readonly stderr: string; readonly exit: string } {
  const script = `{ sleep 0.2; "$0" "${programFiles().program}" ${args}; echo "exit $?" >&3; } 3>&4 | true`;
  const { stderr, output } = spawnSync('bash', ['-c', script, NODE], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe', 'ignore', 'pipe'],
  });
  return { stderr, exit: String(output[4]).trim() };
}

describe('an output that nobody reads', () => {
  it('ends the program without a word', () => {
    expect(runIntoClosedPipe('prices --json')).toEqual({ stderr: '', exit: 'exit 141' });
  });
});
