import { describe, expect, test } from 'vitest';
import { buildProgram } from '../../src/cli/program.ts';

describe('buildProgram', () => {
  test('loads every command when none is named, under the name that the table gives it', async () => {
    const names = (await buildProgram(['--help'])).commands.map((command) => command.name());
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) {
      const [only, ...others] = (await buildProgram([name])).commands;
      expect([name, only?.name(), others]).toEqual([name, name, []]);
    }
  }, 120_000);

  test('finds the command behind flags and their values', async () => {
    const args = ['--json', '--config', 'status', '--log-level', 'debug', 'plan', 'status'];
    expect((await buildProgram(args)).commands.map((command) => command.name())).toEqual(['plan']);
  });

  test('loads all for a name that is no command, so that the error can say what was meant', async () => {
    expect((await buildProgram(['statsu'])).commands.length).toBeGreaterThan(20);
    expect((await buildProgram(['constructor'])).commands.length).toBeGreaterThan(20);
  });
});
