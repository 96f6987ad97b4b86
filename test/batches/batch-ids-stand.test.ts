import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { contentBatchId } from '../../src/batches/batch-id.ts';
import { workflowHash } from '../../src/batches/workflow-hash.ts';
import { promptTag } from '../../src/tasks/prompt-hash.ts';
import { makeTemporaryFolder } from '../helpers/temporary-folder.ts';

const CONFIG = `
providers: { acme: { kind: openai, baseUrl: "http://127.0.0.1:7111/v1", apiKey: k } }
models:
  small:
    provider: acme
    id: small-2026-01-01
    contextTokens: 32768
    maxOutputTokens: 1024
    price: { inputPerMillion: 0.15, outputPerMillion: 0.6 }
workflows:
  a:
    task: classify
    labels: [billing, bug]
    instructions: "be exact"
    cascade: [{ model: local, acceptAt: 0.9 }, { model: small, acceptAt: 0.8 }]
  b:
    task: classify
    labels: { x: "an x", y: "" }
    cache: true
    drainAt: 0.8
    parts: { maxTokens: 500 }
    cascade: [{ model: small }]
  c: { task: summarize, cascade: [{ model: small }] }
  d:
    task: summarize
    summary: { maxWords: 60, language: de, provenance: true }
    checks: { names: true, forbidden: ["/a{1,9}b/i", "secret"] }
    cascade: [{ model: small }]
`;

test('the ids of batches and the hashes of prompts are those of earlier versions, so that a repeat joins its batch', async () => {
  await using temporary = await makeTemporaryFolder();
  const folder = temporary.path;
  const file = join(folder, 'nightmill.yaml');
  writeFileSync(file, CONFIG);
  const { workflows } = loadConfig({ file, env: {}, cwd: folder });
  const ids = [...workflows].map(([name, { spec }]) => [
    contentBatchId(name, workflowHash(spec), 'content'),
    promptTag(spec),
  ]);
  // Ids have stood since the first version. The prompts' hashes are those of the repair turn that came with `attempts`.
  expect(ids).toEqual([
    ['a-127ef5f77dbc', 'classify-v2@21262b9d'],
    ['b-181011e7d20a', 'classify-v2@e966a2e3'],
    ['c-cd781ca08b22', 'summarize-v2@6a5c3d31'],
    ['d-d8b72f456224', 'summarize-v2@d35d5842'],
  ]);
});
