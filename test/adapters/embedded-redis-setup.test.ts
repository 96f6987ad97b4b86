import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EmbeddedRedis } from '../../src/adapters/embedded-redis/embedded-redis.ts';
import type { EmbeddedRedisOptions } from '../../src/adapters/embedded-redis/embedded-redis-options.ts';
import { findRedisServer, redisSearchFolders } from '../../src/adapters/embedded-redis/find-redis-server.ts';
import { installCommands, installRedis } from '../../src/adapters/embedded-redis/install-redis.ts';
import { startEmbeddedRedis } from '../../src/adapters/embedded-redis/start-embedded-redis.ts';
import { folderFailure, redisFailure } from '../../src/adapters/embedded-redis/start-failure.ts';
import { failureOf, fakeRedisServer } from '../helpers/redis-processes.ts';

const searchFolders = redisSearchFolders(process.env.PATH);
const lookup = findRedisServer(searchFolders);
// The processes of a folder are found through /proc.
const canRun = process.platform === 'linux' && lookup.status === 'found';
const isRoot = process.getuid?.() === 0;

let base: string;
let folder: string;
let redisFolder: string;

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'nm-redis-')));
  folder = join(base, '.nightmill');
  redisFolder = join(folder, 'redis');
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function start(options: Partial<EmbeddedRedisOptions> = {}): Promise<EmbeddedRedis> {
  return startEmbeddedRedis({ folder, searchFolders, allowInstall: false, announce: () => undefined, ...options });
}

describe('startEmbeddedRedis() without a usable machine', () => {
  it('names the three cures where there is no server program', async () => {
    const error = await failureOf(start({ searchFolders: [base] }));
    expect(error.code).toBe('redis_unavailable');
    expect(error.message).toContain('apt-get install redis-server');
    expect(error.message).toContain('docker compose up');
    expect(error.message).toContain('`redis:` in nightmill.yaml');
  });

  it('refuses a server that is too old with the version seen', async () => {
    const error = await failureOf(start({ searchFolders: [fakeRedisServer(base, '6.0.16')] }));
    expect(error.code).toBe('redis_unsuitable');
    expect(error.message).toContain('is version 6.0.16; at least 6.2.0 is needed');
  });

  it('reports a file in place of its folder', async () => {
    writeFileSync(folder, 'not a folder');
    const error = await failureOf(start());
    expect(error.code).toBe('redis_unavailable');
    expect(error.message).toContain(redisFolder);
    expect(error.message).toContain('A file is where a folder belongs');
  });

  it.skipIf(isRoot)('reports a folder that it may not write to', async () => {
    chmodSync(base, 0o500);
    const error = await failureOf(start());
    chmodSync(base, 0o700);
    expect(error.message).toContain('Run in a folder that you may write to');
  });

  it('says that the disk is full', () => {
    const error = folderFailure('/data/redis', new Error("ENOSPC: no space left on device, mkdir '/data/redis'"));
    expect(error.message).toContain('free some space for /data/redis');

    const logPath = join(base, 'redis.log');
    writeFileSync(
      logPath,
      "earlier\n# Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting...\n",
    );
    const logged = redisFailure('The server has ended.', logPath, 'earlier\n'.length);
    expect(logged.message).toContain(`free some space for ${logPath}`);
    expect(logged.message).not.toContain('earlier');
  });
});

describe('findRedisServer()', () => {
  it('prefers a server that is new enough over one found earlier that is not', () => {
    const old = fakeRedisServer(base, '6.0.16');
    const fresh = join(base, 'fresh');
    mkdirSync(fresh);
    writeFileSync(join(fresh, 'valkey-server'), `#!/bin/sh\necho 'Valkey server v=8.1.3 sha=0'\n`);
    chmodSync(join(fresh, 'valkey-server'), 0o755);
    expect(findRedisServer([old, fresh])).toEqual({
      status: 'found',
      program: { path: join(fresh, 'valkey-server'), startedAs: 'valkey-server', version: '8.1.3' },
    });
  });

  it('looks in the usual folders after those of PATH', () => {
    const folders = redisSearchFolders('/first::/usr/bin');
    expect(folders[0]).toBe('/first');
    expect(folders).toContain('/usr/sbin');
    expect(folders.filter((name) => name === '/usr/bin')).toHaveLength(1);
  });
});

describe('installRedis()', () => {
  it('announces itself in one line and runs the commands in order', async () => {
    const lines: string[] = [];
    const ran: (readonly string[])[] = [];
    await installRedis(
      (line) => lines.push(line),
      async (command) => {
        ran.push(command);
      },
    );
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('redis-tools');
    expect(ran).toEqual(installCommands());
  });

  it('installs although a package source is broken', async () => {
    const ran: (readonly string[])[] = [];
    await installRedis(
      () => undefined,
      async (command) => {
        ran.push(command);
        if (command.includes('update')) throw new Error('E: The repository has no Release file.');
      },
    );
    expect(ran).toHaveLength(2);
  });

  it('reports what the package manager said where it fails', async () => {
    const error = await failureOf(
      installRedis(
        () => undefined,
        async (command) => {
          throw new Error(command.includes('update') ? 'E: no network' : 'E: Unable to locate package redis-tools');
        },
      ),
    );
    expect(error.code).toBe('redis_unavailable');
    expect(error.message).toContain('Unable to locate package redis-tools');
    expect(error.message).toContain('E: no network');
  });

  it.skipIf(!isRoot || !existsSync('/usr/bin/apt-get'))(
    'builds a command that apt-get accepts and that starts no service',
    () => {
      const [, install] = installCommands();
      const [file = '', ...words] = install ?? [];
      const { stdout, stderr, status } = spawnSync(file, [...words, '--simulate'], { encoding: 'utf8' });
      expect(`${stdout}${stderr}`).not.toMatch(/Inst redis-server|invalid|not understood/i);
      // 100 is a machine that has no package lists yet.
      expect([0, 100]).toContain(status);
      if (canRun && existsSync('/usr/bin/redis-check-rdb')) {
        const owner = execFileSync('dpkg', ['-S', '/usr/bin/redis-check-rdb'], { encoding: 'utf8' });
        expect(owner).toContain('redis-tools');
      }
    },
  );
});
