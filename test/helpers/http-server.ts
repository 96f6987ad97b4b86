import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig } from '../../config/load.ts';
import { type App, openApp } from '../../src/app.ts';
import { type ServerLimits, startServer } from '../../src/http/start-server.ts';
import { ProcessMeter } from '../../src/measures/process-meter.ts';
import { createKey, readRights } from '../../src/operations/api-keys.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';
import { configYaml } from './workspace.ts';

export interface Logged {
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into many shapes
  readonly body: any;
}

/** A server of the API in the test's own process, without a worker: it starts in milliseconds. */
export interface TestServer extends AsyncDisposable {
  readonly app: App;
  readonly url: string;
  readonly folder: string;
  /** Warnings and errors. */
  readonly logged: readonly Logged[];
  /** The secret of a new key. */
  key(
    name: string,
    more?: { readonly tenant?: string; readonly rights?: string; readonly expiresAt?: number },
  ): Promise<string>;
  call(method: string, path: string, init?: RequestInit & { readonly key?: string }): Promise<HttpAnswer>;
}

export interface TestServerOptions {
  /** `redis://127.0.0.1:PORT` */
  readonly redis: string;
  /** The model's server. Default: none that answers. */
  readonly model?: string;
  /** More lines at the top level of the config. */
  readonly more?: string;
  /** More keys of the workflow triage. */
  readonly workflow?: string;
  /** Any but a loopback address asks for keys. */
  readonly host?: string;
  readonly limits?: ServerLimits;
  /** The config of another server, which this one then stands beside. */
  readonly yaml?: string;
  /** What routes see in place of the app. */
  readonly change?: (app: App) => App;
}

export async function openTestServer(options: TestServerOptions): Promise<TestServer & { readonly yaml: string }> {
  const {
    redis,
    model = 'http://127.0.0.1:9/v1',
    more = '',
    workflow = '',
    host = '127.0.0.1',
    limits,
    change = (app) => app,
  } = options;
  const stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(await makeTemporaryFolder('server'));
  const store = options.yaml === undefined ? `store: "file:${join(folder, 'store')}"` : '';
  const yaml = options.yaml ?? configYaml({ url: model, redis, workflow, more: `${more}\n${store}` });
  await writeFile(join(folder, 'nightmill.yaml'), yaml);
  const logged: Logged[] = [];
  const note = (event: string, fields: Readonly<Record<string, unknown>> = {}) => void logged.push({ event, fields });
  const log = { debug: () => {}, info: () => {}, warn: note, error: note };
  const config = loadConfig({ env: {}, cwd: folder });
  const app = stack.use(await openApp({ config, log, announce: () => {}, searchPath: undefined, actor: 'test' }));
  if (host !== '127.0.0.1' && options.yaml === undefined) await makeKey(app, 'first', {});
  const meter = new ProcessMeter();
  const server = await startServer(change(app), { host, port: 0, meter, ...(limits === undefined ? {} : { limits }) });
  stack.defer(() => server.close());
  const url = server.url.replace('0.0.0.0', '127.0.0.1');
  const moved = stack.move();
  return {
    app,
    url,
    folder,
    logged,
    yaml,
    key: (name, how = {}) => makeKey(app, name, how),
    call: (method, path, init) => ask(url, method, path, init),
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

async function makeKey(
  app: App,
  name: string,
  { rights = 'submit,read', ...more }: { tenant?: string; rights?: string; expiresAt?: number },
): Promise<string> {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return (await createKey(app, { name, rights: readRights(rights), ...more }, bytes)).secret;
}

async function ask(
  url: string,
  method: string,
  path: string,
  { key, headers, ...rest }: RequestInit & { readonly key?: string } = {},
): Promise<HttpAnswer> {
  const authorization = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const response = await fetch(`${url}${path}`, { method, headers: { ...headers, ...authorization }, ...rest });
  const text = await response.text();
  const type = response.headers.get('content-type') ?? '';
  const body = type.includes('json') && !type.includes('ndjson') ? JSON.parse(text) : undefined;
  return { status: response.status, headers: response.headers, text, body };
}
