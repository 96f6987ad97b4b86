import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { workflowHash } from '../../src/batches/workflow-hash.ts';
import type { WorkflowSpec } from '../../src/workflows/workflow.ts';
import { makeTemporaryFolder } from '../helpers/temporary-folder.ts';

async function load(candidate: string): Promise<WorkflowSpec> {
  await using folder = await makeTemporaryFolder();
  const file = join(folder.path, 'nightmill.yaml');
  writeFileSync(join(folder.path, 'other.txt'), 'Look twice.\n');
  writeFileSync(
    file,
    `
providers: { acme: { kind: openai, baseUrl: "http://127.0.0.1:7111/v1", apiKey: k } }
models:
  small: { provider: acme, id: small-2026-01-01 }
  other: { provider: acme, id: other-2026-01-01 }
workflows:
  triage: { task: classify, labels: [a, b], cascade: [{ model: small }]${candidate} }
`,
  );
  const { workflows } = loadConfig({ file, env: {}, cwd: '/' });
  return workflows.get('triage')?.spec as WorkflowSpec;
}

describe('candidate', () => {
  it('is a model, a cascade or other instructions, on a tenth of the documents as a shadow by default', async () => {
    const byModel = await load(', candidate: { model: other }');
    expect(byModel.candidate).toMatchObject({
      cascade: [{ model: { name: 'other' } }],
      share: 0.1,
      mode: 'shadow',
      margin: 0,
    });
    const cascade = '[{ model: other, acceptAt: 0.8 }, { model: small }]';
    const byCascade = await load(`, candidate: { cascade: ${cascade}, share: 0.5, mode: split, margin: 0.02 }`);
    expect(byCascade.candidate).toMatchObject({ cascade: [{ acceptAt: 0.8 }, {}], share: 0.5, mode: 'split' });
    const byPrompt = await load(', candidate: { prompt: other.txt }');
    expect(byPrompt.candidate).toMatchObject({ cascade: byPrompt.cascade, instructions: 'Look twice.' });
    expect(workflowHash(byModel)).not.toBe(workflowHash(await load('')));
  });

  it('has to differ from the workflow in one way, with known models', async () => {
    await expect(load(', candidate: { share: 0.2 }')).rejects.toThrow('workflows.triage.candidate: nothing differs');
    await expect(load(', candidate: { model: nobody }')).rejects.toThrow('there is no model "nobody"');
    await expect(load(', candidate: { model: other, cascade: [{ model: small }] }')).rejects.toThrow(
      'keep one of them',
    );
  });
});
