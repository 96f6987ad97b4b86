import { hostname } from 'node:os';
import { expect, it } from 'vitest';
import { configYaml, makeDocuments, toJsonl, Workspace } from '../helpers/workspace.ts';
import { modelAndRedis } from './model-and-redis.ts';

const { model, redis } = await modelAndRedis();

interface WorkersJson {
  readonly workers: readonly { readonly host: string; readonly configHash: string; readonly workflows: string[] }[];
  readonly queues: readonly { readonly workflow: string; readonly slices: number; readonly workersAlive: number }[];
}

it('says who is alive: nobody while no worker runs, and the worker while it does', async () => {
  const yaml = configYaml({ url: model.url, redis: redis.url });
  await using workspace = await Workspace.make({
    'nightmill.yaml': yaml,
    'docs.jsonl': toJsonl(makeDocuments(4)),
  });
  const id = (await workspace.run(['submit', 'docs.jsonl', '-w', 'triage'])).stdout.trim();
  expect((await workspace.run(['status', id])).stdout).toContain('no worker is alive for triage');
  expect(await workspace.status(id)).toMatchObject({ workersAlive: 0, etaSeconds: null });
  expect(await workspace.run(['health'])).toMatchObject({ code: 1, stdout: expect.stringContaining(hostname()) });
  const waiting = await workspace.json<WorkersJson>(['workers']);
  expect(waiting.workers).toEqual([]);
  const queue = waiting.queues.find(({ workflow }) => workflow === 'triage');
  expect(queue).toMatchObject({ slices: 1, workersAlive: 0, oldestAt: expect.stringMatching(/^2/) });
  const doctor = await workspace.run(['doctor']);
  expect(doctor.stdout).toMatch(/warning {2}workers +no worker is alive while 1 batch has not ended/);
  expect(doctor.stdout).toMatch(/warning {2}redis persistence +it writes nothing to its disk/);

  const worker = await workspace.startWorker();
  const { workers } = await workspace.json<WorkersJson>(['workers']);
  expect(workers).toMatchObject([{ host: hostname(), workflows: expect.arrayContaining(['triage']) }]);
  expect(await workspace.run(['health'])).toMatchObject({ code: 0 });
  const same = await workspace.run(['status']);
  expect(same.stderr).not.toContain('other configs');
  await workspace.write('other.yaml', yaml.replace('sliceDocuments: 8', 'sliceDocuments: 9'));
  expect((await workspace.run(['--config', 'other.yaml', 'status'])).stderr).toMatch(
    /other configs are at work in \S+ \(\w+\)/,
  );
  worker.kill('SIGTERM');
  await worker.exited;
  expect(await workspace.run(['health'])).toMatchObject({ code: 1 });
});
