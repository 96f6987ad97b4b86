import type { Config } from '../../../config/config.ts';
import type { Throughput } from '../../plans/host-minutes.ts';
import {
  hostsOf,
  LOCAL_MODEL_NAME,
  type ModelSpec,
  poolOf,
  type Tier,
  type WorkflowSpec,
} from '../../workflows/workflow.ts';

/** What a paid call takes where nothing is known of the provider. */
const ASSUMED_CALL_SECONDS = 2;

/**
 * How fast one process can ask the first paid tier, by its hosts; none: there is no such tier.
 *
 * @param callSeconds that a call takes. Default: assumed
 */
export function throughputOf(
  config: Pick<Config, 'providers' | 'pools'>,
  workflow: WorkflowSpec,
  callSeconds = ASSUMED_CALL_SECONDS,
): readonly Throughput[] {
  const tier = workflow.cascade.find(({ model }) => model.name !== LOCAL_MODEL_NAME);
  return tier === undefined ? [] : hostThroughput(config, tier, callSeconds);
}

/** How fast one process can ask a paid tier, by its hosts. */
export function hostThroughput(
  config: Pick<Config, 'providers' | 'pools'>,
  tier: Tier,
  callSeconds = ASSUMED_CALL_SECONDS,
): readonly Throughput[] {
  return hostsOf(tier).map((host) => throughputAt(config, host, callSeconds));
}

function throughputAt(config: Pick<Config, 'providers' | 'pools'>, model: ModelSpec, callSeconds: number): Throughput {
  const limits = config.pools.get(poolOf(model)) ?? {};
  const inFlight = Math.min(
    config.providers.get(model.provider)?.limits.concurrency ?? 1,
    limits.concurrency ?? Number.POSITIVE_INFINITY,
  );
  return { limits, callsPerMinute: (inFlight * 60) / callSeconds };
}
