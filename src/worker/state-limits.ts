import { configLimits } from '../../config/limits.ts';
import type { App } from '../app.ts';

/**
 * `run` is one person's job under one config, and a private server has no other, so their limits are taken over. A
 * worker of a shared one states only what nobody has stated: whose config counts there is said by `nightmill apply`.
 */
export async function stateLimits({ config, ledger, log }: App, limits: 'replace' | 'fill'): Promise<void> {
  const how = config.redis === undefined ? 'replace' : limits;
  const differ = await ledger.applyConfigLimits(configLimits(config), how);
  if (how === 'replace' || differ.length === 0) return;
  log.warn('limits:differ', { scopes: differ, file: config.file, resolve: 'nightmill apply' });
}
