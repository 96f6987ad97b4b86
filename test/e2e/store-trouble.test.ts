import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { configYaml, expectBalanced, makeDocuments, toJsonl, Workspace } from '../helpers/workspace.ts';
import { modelAndRedis } from './model-and-redis.ts';

const { model, redis } = await modelAndRedis();

it('a worker whose store fails takes no slices, is named, buys nothing twice and comes back by itself', async () => {
  const config = configYaml({ url: model.url, redis: redis.url });
  const documents = makeDocuments(20);
  await using workspace = await Workspace.make({
    'nightmill.yaml': `${config}\nstore: file:real\n`,
    'worker.yaml': `${config}\nstore: file:link\n`,
    'docs.jsonl': toJsonl(documents),
  });
  const id = (await workspace.run(['submit', 'docs.jsonl', '-w', 'triage'])).stdout.trim();
  const link = workspace.path('link');
  symlinkSync('real', link);
  let broken = false;
  model.answer = () => {
    if (!broken) {
      broken = true;
      rmSync(link);
      writeFileSync(link, 'no folder');
    }
    return { content: '{"label":"bug","confidence":0.9}' };
  };
  const worker = await workspace.startWorker('--config', 'worker.yaml');
  await worker.prints(/store:trouble/);
  const shown = (await workspace.run(['status', id])).stdout;
  expect(shown).toMatch(/left out {3}worker .+ cannot work on it: Cannot .+ in the store file:.*link/);
  expect(shown).not.toContain('ends in');
  expect((await workspace.run(['workers'])).stdout).toMatch(/takes no slices: Cannot .+ in the store/);
  rmSync(link);
  symlinkSync('real', link);
  await worker.prints(/store:restored/);
  const done = await workspace.run(['submit', 'docs.jsonl', '-w', 'triage', '--wait']);
  expect(done, done.stderr).toMatchObject({ code: 0 });
  expect(worker.stderr.match(/store:trouble/g)).toHaveLength(1);
  const failed = worker.stderr.split('\n').filter((line) => line.includes('worker:error'));
  expect(failed.filter((line) => line.includes('in the store'))).toEqual([]);
  expect(model.calls).toHaveLength(documents.length);
  await workspace.run(['results', id, '-o', 'out']);
  expectBalanced(
    await workspace.readOutput('out'),
    documents.map((document) => document.id),
  );
});
