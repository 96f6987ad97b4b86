import { expect, it } from 'vitest';
import { HttpModel } from '../helpers/http-model.ts';
import { configYaml, toJsonl, Workspace } from '../helpers/workspace.ts';

it('a workflow with a gate is refused before it spends, until nightmill eval opens it', async () => {
  await using model = await HttpModel.start();
  model.answer = () => ({ content: JSON.stringify({ label: 'billing', confidence: 0.9 }) });
  const documents = [1, 2].map((id) => ({ id: `d${id}`, text: `Ticket ${id}: the invoice is wrong.` }));
  await using workspace = await Workspace.make({
    'nightmill.yaml': configYaml({
      url: model.url,
      cascade: '[{ model: small }]',
      workflow: 'gate: { golden: golden.jsonl }',
    }),
    'documents.jsonl': toJsonl(documents),
    'golden.jsonl': toJsonl(documents.map((document) => ({ ...document, label: 'billing' }))),
  });
  const submit = ['submit', 'documents.jsonl', '-w', 'triage'];
  const refused = await workspace.run(submit);
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('Evaluate it: nightmill eval -w triage') });
  expect(model.calls).toHaveLength(0);
  const evaluated = await workspace.run(['eval', '-w', 'triage', '--golden', 'golden.jsonl', '--json']);
  expect(evaluated, evaluated.stderr).toMatchObject({ code: 0 });
  const submitted = await workspace.run(submit);
  expect(submitted, submitted.stderr).toMatchObject({ code: 0 });
}, 120_000);
