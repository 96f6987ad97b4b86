import { expect, it } from 'vitest';
import { configYaml, expectBalanced, makeDocuments, toJsonl, Workspace } from '../helpers/workspace.ts';
import { modelAndRedis } from './model-and-redis.ts';

const { model, redis } = await modelAndRedis();

it('a worker whose config lacks a provider leaves the batch to others and says so', async () => {
  const config = configYaml({ url: model.url, redis: redis.url });
  const documents = makeDocuments(20);
  await using workspace = await Workspace.make({
    'nightmill.yaml': config,
    'poor.yaml': config.replaceAll('provider: acme', 'provider: other').replace('  acme: {', '  other: {'),
    'docs.jsonl': toJsonl(documents),
  });
  const submitted = await workspace.run(['submit', 'docs.jsonl', '-w', 'triage']);
  const id = submitted.stdout.trim();
  const poor = await workspace.startWorker('--config', 'poor.yaml');
  await poor.prints(/slice:deferred/);
  const shown = await workspace.run(['status', id]);
  expect(shown.stdout).toMatch(/left out {3}worker .+ cannot work on it: its config .+ has no provider "acme"/);
  expect(model.calls).toHaveLength(0);
  await workspace.startWorker();
  const done = await workspace.run(['submit', 'docs.jsonl', '-w', 'triage', '--wait']);
  expect(done, done.stderr).toMatchObject({ code: 0 });
  await workspace.run(['results', id, '-o', 'out']);
  const output = await workspace.readOutput('out');
  expectBalanced(
    output,
    documents.map((document) => document.id),
  );
  expect(output.errors).toEqual([]);
});

it('a wrong model id pauses its own batch, names it, and the others of the workflow continue', async () => {
  const config = configYaml({ url: model.url, redis: redis.url });
  await using workspace = await Workspace.make({
    'nightmill.yaml': config,
    'wrong.yaml': config.replace('id: small-2026-01-01', 'id: smal-2026-01-01'),
    'good.jsonl': toJsonl(makeDocuments(12)),
    'bad.jsonl': toJsonl(makeDocuments(12).map((document) => ({ ...document, text: `${document.text} again` }))),
  });
  model.answer = (call) =>
    call.body.model === 'smal-2026-01-01'
      ? { status: 404, error: { message: 'The model smal-2026-01-01 does not exist' } }
      : { content: '{"label":"bug","confidence":0.9}' };
  const submitted = await workspace.run(['--config', 'wrong.yaml', 'submit', 'bad.jsonl', '-w', 'triage']);
  expect(submitted.stderr).toContain('does not list "smal-2026-01-01" but small-2026-01-01');
  const bad = submitted.stdout.trim();
  await workspace.startWorker();
  const paused = await workspace.statusWhen(bad, ({ state }) => state === 'paused');
  expect(paused.breaker).toMatchObject({ cause: 'provider', reason: expect.stringContaining('smal-2026-01-01') });
  const done = await workspace.run(['submit', 'good.jsonl', '-w', 'triage', '--wait']);
  expect(done, done.stderr).toMatchObject({ code: 0 });
  expect((await workspace.status(bad)).documents).toMatchObject({ failed: 0 });
});

it('a limit that a person has set on a batch stays when the batch is submitted again without one', async () => {
  await using workspace = await Workspace.make({
    'nightmill.yaml': configYaml({ url: model.url, redis: redis.url, workflow: 'budget: { batch: 5 }' }),
    'docs.jsonl': toJsonl(makeDocuments(5)),
  });
  const submit = ['submit', 'docs.jsonl', '-w', 'triage'];
  const id = (await workspace.run([...submit, '--budget', '0.001'])).stdout.trim();
  await workspace.run(submit);
  expect((await workspace.status(id)).limitUsd).toBe(0.001);
  await workspace.run([...submit, '--budget', '0.002']);
  expect((await workspace.status(id)).limitUsd).toBe(0.002);
});

it("another batch's results are not replaced without --force", async () => {
  await using workspace = await Workspace.make({
    'nightmill.yaml': configYaml({ url: model.url }),
    'one.jsonl': toJsonl(makeDocuments(3)),
    'two.jsonl': toJsonl(makeDocuments(4)),
  });
  expect((await workspace.run(['run', 'one.jsonl', '-w', 'triage', '-o', 'out'])).code).toBe(0);
  expect((await workspace.run(['run', 'one.jsonl', '-w', 'triage', '-o', 'out'])).code).toBe(0);
  const refused = await workspace.run(['run', 'two.jsonl', '-w', 'triage', '-o', 'out']);
  expect(refused).toMatchObject({ code: 2 });
  expect(refused.stderr).toMatch(/out has the results of batch triage-.+ would replace.*--force/);
  expect((await workspace.readOutput('out')).results).toHaveLength(3);
  expect((await workspace.run(['run', 'two.jsonl', '-w', 'triage', '-o', 'out', '--force'])).code).toBe(0);
  expect((await workspace.readOutput('out')).results).toHaveLength(4);
});
