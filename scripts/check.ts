import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Every static check, one after the other. Prints nothing when all is well; else what failed, and ends with 1. */
const CHECKS: readonly (readonly string[])[] = [
  ['biome', 'check', '--error-on-warnings', '--diagnostic-level=warn', '.'],
  ['tsc'],
  ['tsc', '-p', 'src/page'],
  ['node', 'scripts/check-imports.ts'],
  ['node', 'scripts/check-schema.ts'],
  ['node', 'scripts/check-packages.ts'],
];

const cwd = fileURLToPath(new URL('..', import.meta.url));
for (const [program = '', ...args] of CHECKS) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  if (status === 0) continue;
  process.stderr.write(`${stdout}${stderr}${error === undefined ? '' : `${error.message}\n`}`);
  process.stderr.write(`check: ${[program, ...args].join(' ')} failed\n`);
  process.exitCode = 1;
}
