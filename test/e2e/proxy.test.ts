import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { HttpModel } from '../helpers/http-model.ts';
import { ProxyServer } from '../helpers/proxy-server.ts';
import { configYaml, makeDocuments, toJsonl, Workspace } from '../helpers/workspace.ts';

let model: HttpModel;
let proxy: ProxyServer;

beforeAll(async () => {
  model = await HttpModel.start();
  proxy = await ProxyServer.start(Number(new URL(model.url).port), 'mill:s3cret-word');
});
beforeEach(() => {
  model.reset();
  proxy.seen.length = 0;
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
});

/** No resolver knows this name, so only the proxy can lead there. */
const BEHIND = 'http://provider.invalid/v1';
const RUN = ['run', 'docs.jsonl', '-w', 'triage', '-o', 'out'];

async function workspaceWith(config: string): Promise<Workspace> {
  return await Workspace.make({ 'nightmill.yaml': config, 'docs.jsonl': toJsonl(makeDocuments(3)) });
}

it('calls and doctor go through the proxy that the environment names', async () => {
  await using workspace = await workspaceWith(configYaml({ url: BEHIND }));
  const env = { HTTP_PROXY: `http://mill:s3cret-word@${proxy.address}` };
  const finished = await workspace.run(RUN, { env });
  expect(finished, finished.stderr).toMatchObject({ code: 0 });
  expect(model.calls).toHaveLength(3);
  const doctor = await workspace.run(['doctor'], { env });
  expect(doctor.stdout).toMatch(/ok\s+provider acme/);
  expect(proxy.seen).toContain('GET http://provider.invalid/v1/models');
  expect(proxy.seen).toContain('POST http://provider.invalid/v1/chat/completions');
});

it('a proxy in the config wins over the environment, and what it exempts is reached directly', async () => {
  const through = `proxy: "http://mill:s3cret-word@${proxy.address}"`;
  await using workspace = await workspaceWith(configYaml({ url: BEHIND, more: through }));
  const env = { HTTP_PROXY: 'http://127.0.0.1:1' };
  expect(await workspace.run(RUN, { env })).toMatchObject({ code: 0 });
  expect(proxy.seen.length).toBeGreaterThan(0);
  proxy.seen.length = 0;
  // What runs on this machine needs no proxy, whatever is set.
  await using local = await workspaceWith(configYaml({ url: model.url }));
  expect(await local.run(RUN, { env })).toMatchObject({ code: 0 });
  expect(proxy.seen).toEqual([]);
});

it('a proxy that refuses the password is named with its cure, and the password stays hidden', async () => {
  await using workspace = await workspaceWith(configYaml({ url: BEHIND, worker: 'providerPatienceSeconds: 0' }));
  const env = { HTTP_PROXY: `http://mill:wr0ng-word@${proxy.address}` };
  const finished = await workspace.run([...RUN, '--log-level', 'info'], { env });
  expect(finished.code).toBe(1);
  expect(finished.stderr).toContain('Check HTTPS_PROXY, or proxy: in the config');
  expect(finished.stderr).not.toContain('wr0ng-word');
  expect(finished.stderr).not.toContain(Buffer.from('mill:wr0ng-word').toString('base64'));
});
