import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { configYaml, expectBalanced, makeDocuments, toJsonl, Workspace } from '../helpers/workspace.ts';
import { modelAndRedis } from './model-and-redis.ts';

const { model, redis } = await modelAndRedis();

it('a worker with a revoked key stops alone and is named; the others continue, and people are told', async () => {
  const told: Record<string, unknown>[] = [];
  const hook = createServer((request, response) => {
    void text(request).then((body) => {
      told.push(JSON.parse(body) as Record<string, unknown>);
      response.end();
    });
  }).listen(0, '127.0.0.1');
  await once(hook, 'listening');
  const env = { HOOK: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`, HOOK_SECRET: 'whsec_c2VjcmV0' };
  const more = 'alerts: { webhooks: [{ kind: generic, url: "${HOOK}", secret: "${HOOK_SECRET}" }] }';
  const documents = makeDocuments(24);
  await using workspace = await Workspace.make({
    'nightmill.yaml': configYaml({ url: model.url, redis: redis.url, slice: 4, more }),
    'docs.jsonl': toJsonl(documents),
  });
  const good = { env: { ...env, ACME_API_KEY: 'good' } };
  // The one with the revoked key is first, and finds it out while the other is alive.
  const submitted = await workspace.run(['submit', 'docs.jsonl', '-w', 'triage', '--id', 'night'], good);
  expect(submitted, submitted.stderr).toMatchObject({ code: 0 });
  let refuse = () => {};
  const refused = new Promise<void>((resolve) => {
    refuse = resolve;
  });
  model.answer = ({ authorization }) => {
    if (authorization === 'Bearer good') return { content: '{"label":"bug","confidence":0.9}' };
    refuse();
    return { status: 401, error: { message: 'This key was revoked.', code: 'invalid_api_key' } };
  };
  model.holdAfter(0);
  const other = workspace.start(['worker', '-w', 'triage'], good);
  const revoked = workspace.start(['worker', '-w', 'triage'], { env: { ...env, ACME_API_KEY: 'revoked' } });
  await Promise.all([other.prints(/worker:started/), revoked.prints(/worker:started/)]);
  await model.until(({ calls }) => calls.some(({ authorization }) => authorization === 'Bearer revoked'));
  model.release();
  await refused;
  await revoked.prints(/key:refused/);
  expect(revoked.stderr).toMatch(/slice:deferred/);
  const done = await workspace.run(['submit', 'docs.jsonl', '-w', 'triage', '--id', 'night', '--wait'], good);
  expect(done, done.stderr).toMatchObject({ code: 0 });
  expect((await workspace.status('night')).breaker.state).not.toBe('open');
  await workspace.run(['results', 'night', '-o', 'out'], good);
  const output = await workspace.readOutput('out');
  expectBalanced(
    output,
    documents.map(({ id }) => id),
  );
  expect(output.errors).toEqual([]);
  const listed = await workspace.run(['webhooks'], good);
  expect(listed.stdout).toMatch(/delivered +alerts\.webhooks\.0 \(generic\) +batch:finished +night/);
  expect(told.map(({ event }) => event)).toEqual(expect.arrayContaining(['key:refused', 'batch:finished']));
  expect(told.map(({ event }) => event)).not.toContain('work:paused');
  hook.closeAllConnections();
  hook.close();
});
