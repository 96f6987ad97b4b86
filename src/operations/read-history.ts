import { join } from 'node:path';
import type { Config } from '../../config/config.ts';
import { readEndpoint } from '../adapters/embedded-redis/endpoint.ts';
import { joinServer } from '../adapters/embedded-redis/join-server.ts';
import { RedisBatchRegistry } from '../adapters/redis/batches.ts';
import { connectRedis } from '../adapters/redis/connect.ts';
import { readFoundQuota } from '../adapters/redis/found-quota.ts';
import { RedisKeys } from '../adapters/redis/keys.ts';
import { readTotals } from '../adapters/redis/scope-totals.ts';
import { RedisWorkflowHistories } from '../adapters/redis/workflow-histories.ts';
import type { BatchRecord } from '../batches/batch-registry.ts';
import type { WorkflowHistory } from '../batches/workflow-history.ts';
import { NightmillError } from '../errors.ts';
import type { FoundQuota, ScopeTotals } from '../ledger/ledger.ts';
import type { Scope } from '../ledger/scope.ts';

/** What the cluster knows that a plan is about. */
export interface ClusterPast {
  readonly history: HistoryAnswer;
  /** In the order of the scopes; undefined: Redis was not asked. */
  readonly totals?: readonly ScopeTotals[];
  /** Of the whole cluster, the newest first; none where Redis was not asked. */
  readonly recent: readonly BatchRecord[];
  /** Of the pools that were asked about. */
  readonly quotas: readonly (FoundQuota & { readonly pool: string })[];
}

/** What is asked about beside the history; nothing unless it is named. */
export interface PastQuestion {
  readonly scopes?: readonly Scope[];
  /** Batches, at most. */
  readonly recent?: number;
  readonly pools?: readonly string[];
}

export type HistoryAnswer =
  | { readonly kind: 'known'; readonly history: WorkflowHistory }
  /** Why not, for people. */
  | { readonly kind: 'unknown'; readonly reason: string };

/**
 * A workflow's history and what else the cluster knows, where that can be had without starting anything: from the configured Redis, or the embedded server
 * of this folder if one runs right now.
 */
export async function readPast(config: Config, workflow: string, question: PastQuestion = {}): Promise<ClusterPast> {
  await using stack = new AsyncDisposableStack();
  let target = config.redis;
  if (target === undefined) {
    const redisFolder = join(config.folder, 'redis');
    const joined = await joinServer(redisFolder);
    if (joined === undefined) return unasked('no server runs in .nightmill');
    stack.defer(() => joined.close());
    target = { url: `unix://${readEndpoint(redisFolder)?.socketPath ?? ''}` };
  }
  try {
    const redis = stack.adopt(await connectRedis(target), (opened) => opened.disconnect());
    return await ask(redis, new RedisKeys(config.redisPrefix), workflow, question);
  } catch (error) {
    if (error instanceof NightmillError) return unasked('Redis is not reachable');
    throw error;
  }
}

async function ask(
  redis: Awaited<ReturnType<typeof connectRedis>>,
  keys: RedisKeys,
  workflow: string,
  { scopes = [], recent = 0, pools = [] }: PastQuestion,
): Promise<ClusterPast> {
  const [history, totals, batches, found] = await Promise.all([
    new RedisWorkflowHistories(redis, keys).get(workflow),
    Promise.all(scopes.map((scope) => readTotals(redis, keys, scope))),
    recent === 0 ? [] : new RedisBatchRegistry(redis, keys).list(recent),
    Promise.all(pools.map(async (pool) => ({ pool, quota: readFoundQuota(await redis.hgetall(keys.pool(pool))) }))),
  ]);
  return {
    history: history === undefined ? unknown('no batch of this workflow has finished') : { kind: 'known', history },
    totals,
    recent: batches,
    quotas: found.flatMap(({ pool, quota }) => (quota === undefined ? [] : [{ pool, ...quota }])),
  };
}

function unasked(reason: string): ClusterPast {
  return { history: unknown(reason), recent: [], quotas: [] };
}

function unknown(reason: string): HistoryAnswer {
  return { kind: 'unknown', reason };
}
