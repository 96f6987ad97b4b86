import { spawnSync } from 'node:child_process';

/** Prometheus' own checker (Debian: `apt-get install prometheus`); tests that need it are skipped without it. */
export const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

/** @returns what it complains of; empty: nothing */
export function promtool(args: readonly string[], input = '', folder = process.cwd()): string {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, cwd: folder, encoding: 'utf8' });
  return status === 0 ? '' : `exit ${status}: ${stderr}${stdout}`;
}
