import { validateHeaderValue } from 'node:http';
import { NightmillError } from '../../errors.ts';

export interface EndpointOptions {
  /** The provider's name in the config, for messages. */
  readonly name: string;
  /** Up to and without `/chat/completions`; a query (Azure's `?api-version=`) is kept. */
  readonly baseUrl: string;
  /** Sent as `Authorization: Bearer`; none is sent where it is absent or empty. */
  readonly apiKey?: string;
  /** Sent with every call; they win over the client's own. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Where calls go and what may be said about it. */
export interface Endpoint {
  readonly name: string;
  readonly origin: string;
  /** Path and query of the request line. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** For messages: without the query, which may hold a key. */
  readonly displayUrl: string;
  /** Replaces every secret in a text by `***`. */
  redact(text: string): string;
}

/** Shorter values are placeholders (`none`); replacing them would garble messages and protect nothing. */
const MIN_SECRET_LENGTH = 5;

/** @throws {NightmillError} `config_invalid`: no http(s) URL, credentials in the URL, a value no header can hold */
export function resolveEndpoint(options: EndpointOptions): Endpoint {
  const { name } = options;
  const url = parseBaseUrl(name, options.baseUrl);
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    accept: 'application/json',
    'user-agent': 'nightmill',
  };
  if (options.apiKey !== undefined && options.apiKey !== '') headers.authorization = `Bearer ${options.apiKey}`;
  for (const [header, value] of Object.entries(options.headers ?? {})) headers[header.toLowerCase()] = value;
  for (const [header, value] of Object.entries(headers)) checkHeaderValue(name, header, value);

  const pathname = `${url.pathname.replace(/\/+$/, '')}/chat/completions`;
  const secrets = [options.apiKey ?? '', ...Object.values(options.headers ?? {}), ...url.searchParams.values()]
    .filter((secret) => secret.length >= MIN_SECRET_LENGTH)
    // The longest first, or a secret that contains another would leave its rest behind.
    .sort((a, b) => b.length - a.length);
  return {
    name,
    origin: url.origin,
    path: pathname + url.search,
    headers,
    displayUrl: url.origin + pathname,
    redact: (text) => secrets.reduce((redacted, secret) => redacted.replaceAll(secret, '***'), text),
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
  try {
    validateHeaderValue(header, value);
  } catch {
    // Without the cause and the value: it may be the key.
    throw new NightmillError(
      'config_invalid',
      `Provider ${name} cannot send the header ${header}: its value has a line break or another forbidden character; ` +
        'check apiKey and headers in the config and the variables they come from',
    );
  }
}
