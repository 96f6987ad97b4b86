import type { Alert } from '../../budgets/alerts.ts';
import { nanoToDecimal } from '../../money/money.ts';

/** Where alerts go. URL and token are secrets. */
export type WebhookTarget =
  | { readonly kind: 'generic' | 'slack' | 'discord'; readonly url: string }
  | { readonly kind: 'telegram'; readonly token: string; readonly chatId: string; readonly baseUrl: string };

/** Longest `content` that Discord takes, in characters. */
const DISCORD_MOST = 2000;
/** Longest `text` that Telegram takes. */
const TELEGRAM_MOST = 4096;

/**
 * The POST that tells a target of an alert.
 *
 * @param at milliseconds since the epoch
 */
export function webhookRequest(target: WebhookTarget, alert: Alert, at: number): { url: string; body: string } {
  switch (target.kind) {
    case 'generic':
      return { url: target.url, body: JSON.stringify(genericPayload(alert, at)) };
    case 'slack':
      return { url: target.url, body: JSON.stringify({ text: escapeSlack(textOf(alert)) }) };
    case 'discord':
      // A batch id or a workflow name must not call people.
      return {
        url: target.url,
        body: JSON.stringify({ content: cut(textOf(alert), DISCORD_MOST), allowed_mentions: { parse: [] } }),
      };
    case 'telegram':
      return {
        url: `${target.baseUrl}/bot${target.token}/sendMessage`,
        body: JSON.stringify({ chat_id: target.chatId, text: cut(textOf(alert), TELEGRAM_MOST) }),
      };
  }
}

function genericPayload(alert: Alert, at: number) {
  const usd = (nano: number) => JSON.rawJSON(nanoToDecimal(nano));
  const { spent, limit, projected, perDocument, usualPerDocument, parts } = alert;
  return {
    event: 'budget:alert',
    at: new Date(at).toISOString(),
    scope: alert.scope,
    ...(alert.period === '' ? {} : { period: alert.period }),
    level: alert.level,
    message: alert.message,
    spentUsd: usd(spent),
    ...(limit === undefined ? {} : { limitUsd: usd(limit) }),
    ...(projected === undefined ? {} : { projectedUsd: usd(projected) }),
    ...(perDocument === undefined ? {} : { perDocumentUsd: usd(perDocument) }),
    ...(usualPerDocument === undefined ? {} : { usualPerDocumentUsd: usd(usualPerDocument) }),
    ...(parts === undefined ? {} : { parts }),
  };
}

function textOf({ level, message }: Alert): string {
  return `Nightmill, ${level.endsWith('%') ? `${level} of a limit` : level}: ${message}`;
}

function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).toWellFormed()}…`;
}
