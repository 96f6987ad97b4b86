import { join } from 'node:path';
import type { Config } from '../../config/config.ts';
import { readEndpoint } from '../adapters/embedded-redis/endpoint.ts';
import { joinServer } from '../adapters/embedded-redis/join-server.ts';
import { connectRedis } from '../adapters/redis/connect.ts';
import { RedisKeys } from '../adapters/redis/keys.ts';
import { RedisWorkflowHistories } from '../adapters/redis/workflow-histories.ts';
import type { WorkflowHistory } from '../batches/workflow-history.ts';
import { NightmillError } from '../errors.ts';

export type HistoryAnswer =
  | { readonly kind: 'known'; readonly history: WorkflowHistory }
  /** Why not, for people. */
  | { readonly kind: 'unknown'; readonly reason: string };

/**
 * A workflow's history where it can be had without starting anything: from the configured Redis, or the embedded server
 * of this folder if one runs right now.
 */
export async function readHistory(config: Config, workflow: string): Promise<HistoryAnswer> {
  await using stack = new AsyncDisposableStack();
  let target = config.redis;
  if (target === undefined) {
    const redisFolder = join(config.folder, 'redis');
    const joined = await joinServer(redisFolder);
    if (joined === undefined) return { kind: 'unknown', reason: 'no server runs in .nightmill' };
    stack.defer(() => joined.close());
    target = { url: `unix://${readEndpoint(redisFolder)?.socketPath ?? ''}` };
  }
  try {
    const redis = stack.adopt(await connectRedis(target), (opened) => opened.disconnect());
    const history = await new RedisWorkflowHistories(redis, new RedisKeys(config.redisPrefix)).get(workflow);
    if (history !== undefined) return { kind: 'known', history };
    return { kind: 'unknown', reason: 'no batch of this workflow has finished' };
  } catch (error) {
    if (error instanceof NightmillError) return { kind: 'unknown', reason: 'Redis is not reachable' };
    throw error;
  }
}
