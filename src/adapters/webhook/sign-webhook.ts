import { createHmac } from 'node:crypto';

const PREFIX = 'whsec_';

/**
 * Headers of the Standard Webhooks specification: an id that stays the same over retries, the moment of this try, and a
 * signature of both and the body, so that a receiver knows who sent it and that it is not an old one.
 *
 * @param secret `whsec_` and base64, or any text
 * @param now milliseconds since the epoch
 */
export function signedHeaders(
  id: string,
  secret: string | undefined,
  body: string,
  now: number,
): Record<string, string> {
  const timestamp = String(Math.floor(now / 1000));
  const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp };
  if (secret === undefined) return headers;
  const key = secret.startsWith(PREFIX) ? Buffer.from(secret.slice(PREFIX.length), 'base64') : Buffer.from(secret);
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { ...headers, 'webhook-signature': `v1,${signature}` };
}
