#!/usr/bin/env node
// Starts the program on a Node that can run it. Plain JavaScript, so that an older Node can read it too.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module, { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

/**
 * Commands that continue for long or write many rows, and the MB that a half of their young generation gets; starting
 * over for that takes 40 ms. A worker holds what 64 calls in flight need, so a small one copies it again and again; rows
 * pass one by one, and what a larger one would hold of them is garbage.
 */
const YOUNG_MB = { serve: 18, worker: 18, run: 18, submit: 16, results: 2 };
/** Commands that end batches: whole files pass then, and by default V8 lets 64 MB of buffers pile up that nobody reads any more. */
const ENDS_BATCHES = new Set(['serve', 'worker', 'run']);
/**
 * V8 takes these only when it starts. By default the young generation of a busy process grows to 64 MB and stays so, in steps,
 * and is cleaned by several threads, which spend a tenth more CPU on it together than one does. docs/benchmarks.md has the figures.
 */
function heapFlags(name) {
  const mb = YOUNG_MB[name] ?? 16;
  const young = [`--max-semi-space-size=${mb}`, `--min-semi-space-size=${mb}`, '--no-parallel-scavenge'];
  return ENDS_BATCHES.has(name) ? [...young, '--external-memory-accounted-in-global-limit'] : young;
}
/**
 * By default glibc keeps up to eight arenas a processor, each with what its threads once needed, and ever larger buffers in
 * them; with one a worker has 5 to 9 MB less than with two, and no more CPU. Other allocators ignore it.
 */
const MEMORY = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '65536',
  MALLOC_TRIM_THRESHOLD_: '65536',
  ...process.env,
};

const OLDEST_MAJOR = 24;
const source = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
const built = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const main = existsSync(source) ? source : built;
const command = process.argv.slice(2).find((word) => Object.hasOwn(YOUNG_MB, word));

if (Number(process.versions.node.split('.')[0]) >= OLDEST_MAJOR) {
  if (process.env.NIGHTMILL_LAUNCHER === 'waits' && process.channel) {
    // The launcher below was killed: end as abruptly as it did, so that killing either means the same.
    process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
    process.channel.unref();
  }
  if (command !== undefined && canStartAnew()) {
    process.execve(
      process.execPath,
      [process.execPath, ...heapFlags(command), ...process.execArgv, ...process.argv.slice(1)],
      MEMORY,
    );
  }
  // By default the heap may double before it is cleaned; memory must not grow with the batch. At 25 a worker spends an
  // eighth more on each document; at 50 it has 8 MB more, at 75 another 16, and saves nothing. Columns of a table are
  // soon garbage and too large for the young generation, so a download is cleaned earlier.
  // `submit` has 4 MB less with 20, and is no dearer.
  const growing = command === 'results' || command === 'submit' ? 20 : 40;
  setFlagsFromString(`--heap-growing-percent=${growing}`);
  // Later starts take half the time.
  module.enableCompileCache?.();
  await import(main);
} else {
  const node = pinnedNode();
  if (node === undefined) {
    process.stderr.write(
      `nightmill needs Node ${OLDEST_MAJOR} or newer; this is ${process.version} (${process.execPath}).\n` +
        `Install one for this project with: npm install --save-dev node@${OLDEST_MAJOR + 2}\n`,
    );
    process.exit(2);
  }
  const child = spawn(node, [...heapFlags(command), fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...MEMORY, NIGHTMILL_LAUNCHER: 'waits' },
  });
  // A terminal signals the whole group, and the child decides how to stop: this process only has to outlive it.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

/** Once, in the same process, where the system has that (Windows has not), and no parent holds a channel to it. */
function canStartAnew() {
  const given = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ').replaceAll('_', '-');
  return typeof process.execve === 'function' && process.channel === undefined && !given.includes('semi-space-size');
}

/** The Node that the npm package `node` put beside this program or beside the project that runs it. */
function pinnedNode() {
  for (const from of [import.meta.url, `${process.cwd()}/package.json`]) {
    try {
      return createRequire(from).resolve('node/bin/node');
    } catch {
      // not installed there
    }
  }
  return undefined;
}
