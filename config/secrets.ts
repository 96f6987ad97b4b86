import { proxySecrets } from '../src/runtime/proxy-settings.ts';
import type { Config } from './config.ts';
import { readRedisUrl } from './redis-url.ts';

/** Every secret of a config, for the one place that removes them from logs. */
export function secretsOf(config: Config): readonly string[] {
  const redis = config.redisUrl === undefined ? undefined : readRedisUrl(config.redisUrl);
  const redisPassword = redis !== undefined && 'password' in redis ? (redis.password ?? '') : '';
  return [
    ...[...config.providers.values()].flatMap((provider) => [
      provider.apiKey ?? '',
      ...Object.values(provider.headers),
    ]),
    ...config.alerts.webhooks.map((webhook) => (webhook.kind === 'telegram' ? webhook.token : webhook.url)),
    config.store.secretAccessKey ?? '',
    redisPassword,
    ...proxySecrets(config.proxy),
  ].filter((secret) => secret !== '');
}
