import { expect, it } from 'vitest';
import { usdToNano } from '../../src/money/money.ts';
import { configYaml, makeDocuments, toJsonl, Workspace } from '../helpers/workspace.ts';
import { modelAndRedis } from './model-and-redis.ts';

const { model, redis } = await modelAndRedis();

it('a batch that its limit has stopped ends with what status says that it takes, and costs as much', async () => {
  await using workspace = await Workspace.make({
    'nightmill.yaml': configYaml({ url: model.url, redis: redis.url, slice: 20 }),
    // So few that the replies which come while it stops are a third of them.
    'docs.jsonl': toJsonl(makeDocuments(16)),
  });
  model.answer = () => ({ content: '{"label":"bug","confidence":0.9}' });
  const run = ['run', 'docs.jsonl', '-w', 'triage', '--id', 'night', '-o', 'out'];
  expect(await workspace.run([...run, '--budget', '0.0004'])).toMatchObject({ code: 3 });
  const { stdout } = await workspace.run(['status', 'night']);
  const advice = /to (?:resume|finish) +about \$([\d.]+) more: nightmill (budget set batch:night ([\d.]+))/.exec(
    stdout,
  );
  expect(advice, stdout).not.toBeNull();
  const [, more = '', command = '', to = ''] = advice ?? [];
  const { spentUsd } = await workspace.status('night');
  expect(await workspace.run(command.split(' '))).toMatchObject({ code: 0 });
  const finished = await workspace.run(run);
  expect(finished, finished.stderr).toMatchObject({ code: 0 });
  const { costUsd } = (await workspace.readOutput('out')).manifest;
  expect(costUsd).toBeLessThanOrEqual(Number(to));
  const said = usdToNano(spentUsd) + usdToNano(more);
  expect(usdToNano(costUsd) / said).toBeLessThan(1.1);
  expect(usdToNano(costUsd) / said).toBeGreaterThan(0.9);
}, 300_000);
