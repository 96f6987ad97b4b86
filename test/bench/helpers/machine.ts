import { spawnSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { findRedisServer, redisSearchFolders } from '../../../src/adapters/embedded-redis/find-redis-server.ts';

/** What a figure is worth nothing without. */
export interface Machine {
  readonly cores: number;
  readonly processor: string;
  readonly memoryGib: number;
  readonly platform: string;
  readonly node: string;
  /** Of the server that benchmarks start; `none` where there is none. */
  readonly redis: string;
  /** Mean of the minute before. */
  readonly loadBefore: number;
  /** The program's, with `+ changes` where the tree has some besides its pages; `unknown` outside of a repository. */
  readonly commit: string;
  /** When it was read: ISO 8601, UTC. */
  readonly date: string;
}

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export function readMachine(): Machine {
  const redis = findRedisServer(redisSearchFolders(process.env.PATH));
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model.trim() || 'unknown processor',
    memoryGib: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    redis: redis.status === 'absent' ? 'none' : redis.program.version,
    loadBefore: Number(loadavg()[0]?.toFixed(2)),
    commit: readCommit(),
    date: new Date().toISOString(),
  };
}

export function machineLine(machine: Machine = readMachine()): string {
  const { cores, processor, memoryGib, platform, node, redis, loadBefore, commit, date } = machine;
  return (
    `${cores} x ${processor}, ${memoryGib} GiB, ${platform}, Node ${node}, Redis ${redis}, load before: ${loadBefore.toFixed(2)}, ` +
    `commit ${commit}, ${date.slice(0, 16).replace('T', ' ')} UTC`
  );
}

function readCommit(): string {
  const git = (...args: readonly string[]) => spawnSync('git', args, { cwd: ROOT, encoding: 'utf8' });
  const { status, stdout } = git('rev-parse', '--short', 'HEAD');
  if (status !== 0) return 'unknown';
  return git('status', '--porcelain', '--', '.', ':!*.md').stdout === '' ? stdout.trim() : `${stdout.trim()} + changes`;
}
