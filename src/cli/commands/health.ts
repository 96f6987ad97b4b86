import { hostname } from 'node:os';
import { type Command, InvalidArgumentError } from 'commander';
import { connectRedis } from '../../adapters/redis/connect.ts';
import { RedisKeys } from '../../adapters/redis/keys.ts';
import { RedisWorkerRegistry } from '../../adapters/redis/live-workers.ts';
import { NightmillError } from '../../errors.ts';
import { workerHealth } from '../../operations/worker-health.ts';
import { globalOptions, print, readConfig } from '../with-app.ts';

const DEFAULT_MAX_AGE_SECONDS = 60;

export function addHealthCommand(program: Command): void {
  const command = program
    .command('health')
    .description("a container's liveness: exit code 0 while this host's worker shows signs of life in Redis, else 1")
    .option('--max-age <seconds>', 'how old the last sign of life may be', readSeconds, DEFAULT_MAX_AGE_SECONDS)
    .action(async ({ maxAge }: { maxAge: number }) => {
      const options = globalOptions(command);
      const { redis: target, redisPrefix } = readConfig(options);
      if (target === undefined) {
        throw new NightmillError(
          'usage',
          'Cannot look for a worker: the config names no redis:, and the embedded server belongs to the process that works.',
        );
      }
      // The store is not opened: a worker that cannot reach it waits for it, and a restart would not help.
      const redis = await connectRedis(target);
      try {
        const workers = await new RedisWorkerRegistry(redis, new RedisKeys(redisPrefix)).live();
        const health = workerHealth(workers, hostname(), maxAge);
        print(options, health, () => `${health.detail}\n`);
        process.exitCode = health.healthy ? 0 : 1;
      } finally {
        redis.disconnect();
      }
    });
}

function readSeconds(value: string): number {
  const seconds = Number(value);
  if (!Number.isFinite(seconds) || seconds <= 0) {
    throw new InvalidArgumentError('It is a number of seconds above 0, e.g. 60.');
  }
  return seconds;
}
