import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The tests use a real Redis. On a fresh Debian machine, as root, it is installed here, so that `npm ci && npm test` is
 * all there is to do.
 */
export function setup(): () => void {
  installRedis();
  const [endHosts, removeBundle] = [placeForHosts(), placeForBundle()];
  return () => {
    endHosts();
    removeBundle();
  };
}

/** Where the hosts of commands have their sockets, each under its process's id (test/helpers/hosted-commands.ts). They end with the tests. */
function placeForHosts(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'nm-hosts-'));
  process.env.NIGHTMILL_TEST_HOSTS = folder;
  return () => {
    for (const name of readdirSync(folder)) {
      try {
        process.kill(Number.parseInt(name, 10));
      } catch {
        // It has ended.
      }
    }
    rmSync(folder, { recursive: true, force: true });
  };
}

/** Where the tests of the command line bundle the program (test/helpers/program.ts); gone when they have ended. */
function placeForBundle(): () => void {
  const cache = fileURLToPath(new URL('../node_modules/.cache', import.meta.url));
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(`${cache}/nightmill-tests-`);
  process.env.NIGHTMILL_TEST_BUNDLE = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}

function installRedis(): void {
  if (hasRedis()) return;
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    console.log('Installing redis-server for the tests (apt-get)');
    // The package would start a service; the tests start servers of their own.
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    spawnSync('apt-get', ['update', '-qq'], { env, stdio: 'inherit' });
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'redis-server'], {
      env,
      stdio: 'inherit',
    });
  }
  if (!hasRedis())
    throw new Error('The tests need redis-server 6.2 or newer on the PATH: install it and run them again.');
}

function hasRedis(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0;
}
