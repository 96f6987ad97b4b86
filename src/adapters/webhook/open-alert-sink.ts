import type { AlertSink } from '../../budgets/alert-sink.ts';
import type { WebhookSinkOptions } from './webhook-sink.ts';

/** Nobody is told. */
const SILENT: AlertSink = { send: () => {}, close: async () => {} };

/** Sends alerts to the targets. What sends them, an HTTP client of 25 MB above all, is loaded only where there are some. */
export async function openAlertSink(options: WebhookSinkOptions): Promise<AlertSink> {
  if (options.targets.length === 0) return SILENT;
  const { WebhookSink } = await import('./webhook-sink.ts');
  return new WebhookSink(options);
}
