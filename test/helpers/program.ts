import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** The Node that every npm script uses. */
export const NODE = createRequire(import.meta.url).resolve('node/bin/node');

const BUNDLER = fileURLToPath(new URL('./bundle-program.ts', import.meta.url));

interface ProgramFiles {
  readonly program: string;
  readonly simulator: string;
  readonly host: string;
  /** To import: read-status.ts. */
  readonly statusReader: string;
  /** Folder where `nightmill serve` looks for the built page; absent: it builds the page itself. */
  readonly page?: string;
}

/**
 * The files that a test starts as processes or imports: `bin/nightmill.js`, the provider simulator, the host of commands. Where
 * `NIGHTMILL_TEST_BUNDLE` names a folder (test/global-setup.ts), they are bundled into it when the first test asks.
 * @throws when the bundle can't be made
 */
export function programFiles(): ProgramFiles {
  const folder = process.env.NIGHTMILL_TEST_BUNDLE;
  if (folder === undefined)
    return {
      program: fileURLToPath(new URL('../../bin/nightmill.js', import.meta.url)),
      simulator: fileURLToPath(new URL('../../workers/simulate.ts', import.meta.url)),
      host: fileURLToPath(new URL('./command-host.ts', import.meta.url)),
      statusReader: fileURLToPath(new URL('./read-status.ts', import.meta.url)),
    };
  if (!existsSync(`${folder}/ready`)) makeBundle(folder);
  return {
    program: `${folder}/bin/nightmill.js`,
    simulator: `${folder}/dist/workers/simulate.js`,
    host: `${folder}/dist/test/helpers/command-host.js`,
    statusReader: `${folder}/dist/test/helpers/read-status.js`,
    page: `${folder}/dist/page`,
  };
}

/** Once, although several test files may ask at the same time. */
function makeBundle(folder: string): void {
  try {
    mkdirSync(`${folder}/lock`);
  } catch {
    while (!existsSync(`${folder}/ready`)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    return;
  }
  const { status, stderr } = spawnSync(NODE, [BUNDLER, folder], { encoding: 'utf8' });
  // The others must not wait forever: they find the missing program for themselves.
  writeFileSync(`${folder}/ready`, '');
  if (status !== 0) throw new Error(`The program can't be bundled for the tests:\n${stderr}`);
}
