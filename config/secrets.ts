import type { Config } from './config.ts';

/** Every secret of a config, for the one place that removes them from logs. */
export function secretsOf(config: Config): readonly string[] {
  const redisPassword = config.redisUrl === undefined ? '' : decodeURIComponent(new URL(config.redisUrl).password);
  return [
    ...[...config.providers.values()].flatMap((provider) => [
      provider.apiKey ?? '',
      ...Object.values(provider.headers),
    ]),
    ...config.alerts.webhooks.map((webhook) => (webhook.kind === 'telegram' ? webhook.token : webhook.url)),
    config.store.secretAccessKey ?? '',
    redisPassword,
  ].filter((secret) => secret !== '');
}
