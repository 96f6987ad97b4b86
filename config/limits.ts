import type { ScopeName } from '../src/ledger/scope.ts';
import type { NanoUsd } from '../src/money/money.ts';
import type { Config } from './config.ts';

/** Every limit that the config could state, by scope; undefined where it states none, so that one taken out goes. */
export function configLimits(config: Config): ReadonlyMap<ScopeName, NanoUsd | undefined> {
  const limits = new Map<ScopeName, NanoUsd | undefined>([
    ['global/day', config.budget.day],
    ['global/month', config.budget.month],
  ]);
  for (const [name, { budget }] of config.workflows) {
    limits.set(`workflow:${name}/day`, budget.day);
    limits.set(`workflow:${name}/month`, budget.month);
  }
  for (const [name, tenant] of config.tenants) limits.set(`tenant:${name}/day`, tenant.day);
  return limits;
}
