import { NightmillError } from '../../errors.ts';
import { proxySecrets } from '../../runtime/proxy-settings.ts';
import type { ProviderClientOptions } from './client-options.ts';

/** The API's address, what goes with every call, and what may be said about it. */
export interface Endpoint {
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;
  /** @param path what follows the base URL, from its slash */
  target(path: string): Target;
}

/** Where one call goes, and what may be said about it. */
export interface Target {
  /** The provider's name in the config. */
  readonly name: string;
  /** Path and query of the request line. */
  readonly path: string;
  /** For messages: without the query, which may hold a key. */
  readonly displayUrl: string;
  /** Replaces every secret in a text by `***`. */
  redact(text: string): string;
}

/** What HTTP allows in a value. Not asked of `node:http`: importing that makes Node load an undici of its own as well. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Shorter values are placeholders (`none`); replacing them would garble messages and protect nothing. */
const MIN_SECRET_LENGTH = 5;

/**
 * @param ownHeaders of this API, e.g. the one with the key; the config's headers win over them
 * @throws {NightmillError} `config_invalid`: no http(s) URL, credentials in the URL, a value no header can hold
 */
export function resolveEndpoint(
  options: Pick<ProviderClientOptions, 'name' | 'baseUrl' | 'apiKey' | 'headers' | 'proxy'>,
  ownHeaders: Readonly<Record<string, string>>,
): Endpoint {
  const { name } = options;
  const url = parseBaseUrl(name, options.baseUrl);
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    accept: 'application/json',
    'user-agent': 'nightmill',
    ...ownHeaders,
  };
  for (const [header, value] of Object.entries(options.headers ?? {})) headers[header.toLowerCase()] = value;
  for (const [header, value] of Object.entries(headers)) checkHeaderValue(name, header, value);

  const basePath = url.pathname.replace(/\/+$/, '');
  const headerValues = Object.values(options.headers ?? {});
  // A server quotes a token without the `Bearer` before it.
  const tokens = headerValues.map((value) => value.replace(/^\w+ /, ''));
  const secrets = [
    options.apiKey ?? '',
    ...headerValues,
    ...tokens,
    ...url.searchParams.values(),
    ...proxySecrets(options.proxy),
  ]
    .filter((secret) => secret.length >= MIN_SECRET_LENGTH)
    // The longest first, or a secret that contains another would leave its rest behind.
    .sort((a, b) => b.length - a.length);
  const redact = (text: string): string =>
    secrets.reduce((redacted, secret) => redacted.replaceAll(secret, '***'), text);
  return {
    origin: url.origin,
    headers,
    target: (path) => ({
      name,
      path: basePath + path + url.search,
      displayUrl: url.origin + basePath + path,
      redact,
    }),
  };
}

function parseBaseUrl(name: string, baseUrl: string): URL {
  const url = URL.parse(baseUrl);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new NightmillError(
      'config_invalid',
      `Provider ${name} has no usable baseUrl: write it with http:// or https://, e.g. http://127.0.0.1:8000/v1`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new NightmillError(
      'config_invalid',
      `Provider ${name} has credentials in its baseUrl, where logs would show them: use apiKey or headers`,
    );
  }
  return url;
}

function checkHeaderValue(name: string, header: string, value: string): void {
  if (HEADER_VALUE.test(value)) return;
  // Without the value: it may be the key.
  throw new NightmillError(
    'config_invalid',
    `Provider ${name} cannot send the header ${header}: its value has a line break or another forbidden character; ` +
      'check apiKey and headers in the config and the variables they come from',
  );
}
