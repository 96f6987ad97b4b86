import type { Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import { createRequire } from 'node:module';
import type { Agent, Dispatcher, Pool } from 'undici';
import type { ProxySettings } from '../../runtime/proxy-settings.ts';

/** Loaded with the first connections: it takes 25 MB and a tenth of a second, which commands that call nobody need not pay. */
function undici(): typeof import('undici') {
  return createRequire(import.meta.url)('undici');
}

/** For what will call: otherwise the first call waits for the loading, and its time is measured with it. */
export function loadHttpClient(): void {
  undici();
}

/** Connections to one server, through the proxy that serves it. */
export function openPool(proxy: ProxySettings | undefined, origin: string, options: Pool.Options): Dispatcher {
  return proxy === undefined ? new (undici().Pool)(origin, options) : openProxied(proxy, options);
}

/** Connections to any server. */
export function openAgent(proxy: ProxySettings | undefined, options: Agent.Options): Dispatcher {
  return proxy === undefined ? new (undici().Agent)(options) : openProxied(proxy, options);
}

function openProxied({ http, https, noProxy }: ProxySettings, options: Agent.Options): Dispatcher {
  const { timeout } = (options.connect ?? {}) as { readonly timeout?: number };
  const { EnvHttpProxyAgent } = undici();
  return new EnvHttpProxyAgent({
    ...options,
    // Empty, not absent: what is absent would be read from the environment.
    httpProxy: http,
    httpsProxy: https,
    noProxy,
    ...(timeout === undefined ? {} : { connectTimeout: timeout }),
  });
}

const S3_SOCKETS = { keepAlive: true, maxSockets: 50 };

/** Agents for the AWS SDK, which does not use undici; none where there is no proxy. */
export function nodeAgents(
  proxy: ProxySettings | undefined,
): { readonly httpAgent: HttpAgent; readonly httpsAgent: HttpsAgent } | Record<string, never> {
  if (proxy === undefined) return {};
  // Not imported above: with the names of `node:http` Node loads an undici of its own beside ours.
  const [http, https] = [process.getBuiltinModule('node:http'), process.getBuiltinModule('node:https')];
  const proxyEnv = { HTTP_PROXY: proxy.http, HTTPS_PROXY: proxy.https, NO_PROXY: proxy.noProxy };
  return {
    httpAgent: new http.Agent({ ...S3_SOCKETS, proxyEnv }),
    httpsAgent: new https.Agent({ ...S3_SOCKETS, proxyEnv }),
  };
}
