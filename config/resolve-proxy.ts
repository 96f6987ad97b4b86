import type { ProxySettings } from '../src/runtime/proxy-settings.ts';
import type { Environment } from './interpolate.ts';
import type { RawConfig } from './schema.ts';

/** No proxy can reach what runs beside this process. */
const BESIDE_US = ['localhost', '127.0.0.1', '::1'];

/** The config's proxy, else that of the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`, in either case). */
export function resolveProxy(raw: RawConfig, env: Environment, problems: string[]): { proxy?: ProxySettings } {
  const { proxy } = raw;
  if (proxy === false || proxy === '') return {};
  const read = (name: string) => env[name.toLowerCase()] || env[name] || '';
  const fromEnvironment = proxy === undefined;
  const http = fromEnvironment ? read('HTTP_PROXY') : urlOf(proxy);
  const https = fromEnvironment ? read('HTTPS_PROXY') : http;
  if (http === '' && https === '') return {};
  const direct = typeof proxy === 'object' ? proxy.noProxy : [read('NO_PROXY')];
  return {
    proxy: {
      http: withScheme(http, fromEnvironment ? 'HTTP_PROXY' : 'proxy', problems),
      // As undici has it: one proxy serves both where the other is not named.
      https: withScheme(https || http, fromEnvironment ? 'HTTPS_PROXY' : 'proxy', problems),
      noProxy: [...direct, ...BESIDE_US].filter((host) => host !== '').join(','),
    },
  };
}

function urlOf(proxy: string | { readonly url: string }): string {
  return typeof proxy === 'string' ? proxy : proxy.url;
}

/** Curl and others take `host:port` too. */
function withScheme(text: string, name: string, problems: string[]): string {
  if (text === '') return '';
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url;
  const message =
    'must be http://host:port of a proxy, with user:password@ before the host where it wants them; it is not shown because it may hold a password';
  if (!problems.some((problem) => problem.startsWith(`${name}:`))) problems.push(`${name}: ${message}`);
  return '';
}
