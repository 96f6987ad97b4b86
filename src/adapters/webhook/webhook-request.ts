import type { Alert } from '../../budgets/alerts.ts';
import type { Notice } from '../../budgets/notice.ts';
import { nanoToDecimal } from '../../money/money.ts';

/** A program that gets what a generic webhook gets, on its standard input. */
export interface ExecTarget {
  readonly kind: 'exec';
  readonly command: readonly string[];
}

export type WebhookTarget = HttpTarget | ExecTarget;

/** Where messages go over HTTP. URL, token and secret are secrets. */
export type HttpTarget =
  | { readonly kind: 'generic'; readonly url: string; readonly secret?: string | undefined }
  | { readonly kind: 'slack' | 'discord'; readonly url: string }
  | { readonly kind: 'telegram'; readonly token: string; readonly chatId: string; readonly baseUrl: string };

/** Longest `content` that Discord takes, in characters. */
const DISCORD_MOST = 2000;
/** Longest `text` that Telegram takes. */
const TELEGRAM_MOST = 4096;

/**
 * The POST that tells a target of something.
 *
 * @param at milliseconds since the epoch
 */
export function webhookRequest(target: HttpTarget, message: Alert | Notice, at: number): { url: string; body: string } {
  switch (target.kind) {
    case 'generic':
      return { url: target.url, body: messageJson(message, at) };
    case 'slack':
      return { url: target.url, body: JSON.stringify({ text: escapeSlack(textOf(message)) }) };
    case 'discord':
      // A batch id or a workflow name must not call people.
      return {
        url: target.url,
        body: JSON.stringify({ content: cut(textOf(message), DISCORD_MOST), allowed_mentions: { parse: [] } }),
      };
    case 'telegram':
      return {
        url: `${target.baseUrl}/bot${target.token}/sendMessage`,
        body: JSON.stringify({ chat_id: target.chatId, text: cut(textOf(message), TELEGRAM_MOST) }),
      };
  }
}

/** The object that generic webhooks and programs get. */
export function messageJson(message: Alert | Notice, at: number): string {
  return JSON.stringify('event' in message ? noticePayload(message, at) : alertPayload(message, at));
}

/** What is told, and of what. */
export function describeMessage(message: Alert | Notice): { readonly event: string; readonly subject: string } {
  if ('event' in message) return { event: message.event, subject: message.subject };
  return { event: `budget:alert ${message.level}`, subject: message.scope };
}

function noticePayload({ event, subject, message, details, digest }: Notice, at: number) {
  const made = digest === undefined ? {} : { digest: digest.json };
  return { event, at: new Date(at).toISOString(), subject, message, ...details, ...made };
}

function alertPayload(alert: Alert, at: number) {
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

function textOf(told: Alert | Notice): string {
  if ('event' in told) return `Nightmill: ${told.message}${told.digest === undefined ? '' : `\n\n${told.digest.text}`}`;
  const { level, message } = told;
  return `Nightmill, ${level.endsWith('%') ? `${level} of a limit` : level}: ${message}`;
}

function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).toWellFormed()}…`;
}
