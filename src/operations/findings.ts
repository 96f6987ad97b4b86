import type { App } from '../app.ts';
import type { Check } from '../doctor/check.ts';
import { describeQuota } from '../ledger/describe-quota.ts';
import { foundQuotas } from './read-status.ts';

/** What work so far has found out about providers, as lines of `doctor`. */
export async function readFindings(app: App): Promise<readonly Check[]> {
  const quotas = await foundQuotas(app, app.config.pools.keys());
  return quotas.flatMap((quota): Check[] => {
    const detail = describeQuota(quota, app.clock.now());
    return detail === ''
      ? []
      : [{ name: `quota ${quota.pool}`, state: Object.keys(quota.overruns).length === 0 ? 'ok' : 'warning', detail }];
  });
}
