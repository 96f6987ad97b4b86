import { proxySecrets } from '../src/runtime/proxy-settings.ts';
import type { Config, WebhookConfig } from './config.ts';
import { passwordsOf } from './redis-target.ts';

/** Every secret of a config, for the one place that removes them from logs. */
export function secretsOf(config: Config): readonly string[] {
  return [
    ...[...config.providers.values()].flatMap((provider) => [
      provider.apiKey ?? '',
      ...Object.values(provider.headers),
    ]),
    ...config.alerts.webhooks.flatMap(secretsOfWebhook),
    config.store.secretAccessKey ?? '',
    ...(config.redis === undefined ? [] : passwordsOf(config.redis)),
    config.redis?.tls?.key ?? '',
    ...proxySecrets(config.proxy),
    ...Object.values(config.tracing?.headers ?? {}),
  ].filter((secret) => secret !== '');
}

function secretsOfWebhook(webhook: WebhookConfig): readonly string[] {
  if (webhook.kind === 'exec') return [];
  if (webhook.kind === 'telegram') return [webhook.token];
  return webhook.kind === 'generic' && webhook.secret !== undefined ? [webhook.url, webhook.secret] : [webhook.url];
}
