import { expect, it } from 'vitest';
import type { ShownDocument } from '../../src/operations/show-document.ts';
import { startServe } from '../helpers/serve.ts';
import { configYaml, toJsonl, Workspace } from '../helpers/workspace.ts';
import { modelAndRedis } from './model-and-redis.ts';

const { model, redis } = await modelAndRedis();

const DOCUMENTS = Array.from({ length: 6 }, (_, index) => ({
  id: `mail/${index}`,
  text: `Ticket ${index}: the invoice is wrong.`,
  metadata: { row: index },
}));

it('list, show and --quiet: batches as a table, one document with all that is known of it', async () => {
  await using workspace = await Workspace.make({
    'nightmill.yaml': configYaml({ url: model.url, redis: redis.url, cascade: '[{ model: small }]', slice: 2 }),
    'docs.jsonl': toJsonl(DOCUMENTS),
  });
  model.answer = ({ document }) => ({
    content: document.includes('Ticket 3') ? 'no idea' : '{"label":"billing","confidence":0.9}',
  });
  const run = ['run', 'docs.jsonl', '-w', 'triage', '-o', 'out', '--id', 'night', '--name', 'Friday', '--quiet'];
  const done = await workspace.run(run);
  expect(done).toMatchObject({ code: 4, stderr: '' });
  expect(done.stdout).toContain('night  completed  (triage)  "Friday"');

  const listed = await workspace.run(['list', '--state', 'completed']);
  expect(listed.stdout).toMatch(/^BATCH +STATE +WORKFLOW/);
  expect(listed.stdout).toMatch(/night +completed +triage +6\/6 +1 +\$\S+ .* Friday\n/);

  const answered = await workspace.json<ShownDocument>(['show', 'night', 'mail/4']);
  expect(answered).toMatchObject({
    batch: 'night',
    id: 'mail/4',
    slice: 2,
    state: 'succeeded',
    document: { text: DOCUMENTS[4]?.text, metadata: { row: 4 } },
    row: { result: { label: 'billing' }, model: 'small', calls: 1 },
  });
  const failed = await workspace.run(['show', 'night', 'mail/3']);
  expect(failed.stdout).toMatch(/^mail\/3 {2}failed {2}\(night, slice 1\)\n {2}error +\w+: /);
  expect(failed.stdout).toContain('Ticket 3: the invoice is wrong.');
  const unknown = await workspace.run(['show', 'night', 'nobody']);
  expect(unknown).toMatchObject({ code: 2, stdout: '' });
  expect(unknown.stderr).toContain('Batch night has no document "nobody" among its 6.');

  const { url } = await startServe(workspace, '--no-worker');
  const response = await fetch(`${url}/api/v1/batches/night/documents/${encodeURIComponent('mail/4')}`);
  expect(await response.json()).toEqual(answered);
  expect((await fetch(`${url}/api/v1/batches/night/documents/nobody`)).status).toBe(404);
});
