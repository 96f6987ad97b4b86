import { join } from 'node:path';
import type { Config } from '../../config/config.ts';
import { readEndpoint } from '../adapters/embedded-redis/endpoint.ts';
import { joinServer } from '../adapters/embedded-redis/join-server.ts';
import { connectRedis } from '../adapters/redis/connect.ts';
import { RedisKeys } from '../adapters/redis/keys.ts';
import { readTotals } from '../adapters/redis/scope-totals.ts';
import { RedisWorkflowHistories } from '../adapters/redis/workflow-histories.ts';
import type { WorkflowHistory } from '../batches/workflow-history.ts';
import { NightmillError } from '../errors.ts';
import type { ScopeTotals } from '../ledger/ledger.ts';
import type { Scope } from '../ledger/scope.ts';

/** What the cluster knows that a plan is about. */
export interface ClusterPast {
  readonly history: HistoryAnswer;
  /** In the order of the scopes; undefined: Redis was not asked. */
  readonly totals?: readonly ScopeTotals[];
}

export type HistoryAnswer =
  | { readonly kind: 'known'; readonly history: WorkflowHistory }
  /** Why not, for people. */
  | { readonly kind: 'unknown'; readonly reason: string };

/**
 * A workflow's history and what is spent in these scopes, where that can be had without starting anything: from the configured Redis, or the embedded server
 * of this folder if one runs right now.
 */
export async function readPast(config: Config, workflow: string, scopes: readonly Scope[]): Promise<ClusterPast> {
  await using stack = new AsyncDisposableStack();
  let target = config.redis;
  if (target === undefined) {
    const redisFolder = join(config.folder, 'redis');
    const joined = await joinServer(redisFolder);
    if (joined === undefined) return { history: unknown('no server runs in .nightmill') };
    stack.defer(() => joined.close());
    target = { url: `unix://${readEndpoint(redisFolder)?.socketPath ?? ''}` };
  }
  try {
    const redis = stack.adopt(await connectRedis(target), (opened) => opened.disconnect());
    const keys = new RedisKeys(config.redisPrefix);
    const [history, ...totals] = await Promise.all([
      new RedisWorkflowHistories(redis, keys).get(workflow),
      ...scopes.map((scope) => readTotals(redis, keys, scope)),
    ]);
    return {
      history: history === undefined ? unknown('no batch of this workflow has finished') : { kind: 'known', history },
      totals,
    };
  } catch (error) {
    if (error instanceof NightmillError) return { history: unknown('Redis is not reachable') };
    throw error;
  }
}

function unknown(reason: string): HistoryAnswer {
  return { kind: 'unknown', reason };
}
