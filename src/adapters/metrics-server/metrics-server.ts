import { NightmillError } from '../../errors.ts';
import { EXPOSITION_TYPE } from '../../measures/exposition.ts';

/** Where metrics are served: `9464` on this machine only, `0.0.0.0:9464` for everybody who can reach it. */
export interface MetricsAddress {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

/** @throws {NightmillError} `usage` */
export function readMetricsAddress(text: string): MetricsAddress {
  const [, host = '127.0.0.1', digits = ''] = /^(?:(.+):)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === '' || port > 65_535) {
    throw new NightmillError(
      'usage',
      `Cannot use ${JSON.stringify(text)} as --metrics: use a port such as 9464, or an address such as 0.0.0.0:9464.`,
    );
  }
  return { host, port };
}

/**
 * Answers `GET /metrics` and `GET /healthz` without a key.
 *
 * @param read the text as of now
 * @throws {NightmillError} `usage`: the address cannot be had
 */
export async function serveMetrics(
  { host, port }: MetricsAddress,
  read: () => string,
): Promise<AsyncDisposable & { readonly url: string }> {
  // Only here: with it Node loads much that a worker without metrics has no use for.
  const { createServer } = await import('node:http');
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    if (path === '/metrics') response.writeHead(200, { 'content-type': EXPOSITION_TYPE }).end(read());
    else if (path === '/healthz')
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"status":"ok"}');
    else response.writeHead(404, { 'content-type': 'text/plain' }).end('There is /metrics and /healthz here.\n');
  });
  const listening = Promise.withResolvers<void>();
  server.once('error', listening.reject).listen(port, host, listening.resolve);
  try {
    await listening.promise;
  } catch (error) {
    throw new NightmillError('usage', `Cannot serve metrics on ${host}:${port}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const { port: bound } = server.address() as { port: number };
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}/metrics`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
