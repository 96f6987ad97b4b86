import type { Config, WebhookConfig } from './config.ts';
import type { RawConfig } from './schema.ts';

const REFERENCE = /\$\{[A-Za-z_][A-Za-z0-9_]*(:-)?\}/;

/**
 * One line for each webhook URL or token that stands in the file itself: whoever reads it could post as this program.
 *
 * @param written the parsed file before `${NAME}` is replaced
 */
export function webhookSecretProblems(written: unknown): readonly string[] {
  const webhooks = field(field(written, 'alerts'), 'webhooks');
  if (!Array.isArray(webhooks)) return [];
  return webhooks.flatMap((webhook: unknown, index) =>
    (['url', 'token', 'secret'] as const).flatMap((name) => {
      const value = field(webhook, name);
      if (typeof value !== 'string' || REFERENCE.test(value)) return [];
      return [`alerts.webhooks.${index}.${name}: a secret must come from the environment; write \${VARIABLE}`];
    }),
  );
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** Who is told, and when: webhooks that are turned off are left out. */
export function resolveAlerts({ webhooks, summary }: RawConfig['alerts']): Config['alerts'] {
  const [hours = 0, minutes = 0] = (summary ?? '').split(':').map(Number);
  return {
    webhooks: webhooks.filter(isOn).map(resolveWebhook),
    ...(summary === undefined ? {} : { summaryAt: hours * 60 + minutes }),
  };
}

function isOn(webhook: WebhookConfig): boolean {
  return webhook.kind === 'exec' || (webhook.kind === 'telegram' ? webhook.token : webhook.url) !== '';
}

function resolveWebhook(webhook: WebhookConfig): WebhookConfig {
  if (webhook.kind === 'telegram') return { ...webhook, baseUrl: webhook.baseUrl.replace(/\/+$/, '') };
  // Of a variable that is not set.
  return webhook.kind === 'generic' && webhook.secret === '' ? { kind: 'generic', url: webhook.url } : webhook;
}
