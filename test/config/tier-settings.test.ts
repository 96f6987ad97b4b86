import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { calibrationIdentity } from '../../config/calibration/resolve-calibration.ts';
import { loadConfig } from '../../config/load.ts';
import { workflowHash } from '../../src/batches/workflow-hash.ts';
import { promptSizes } from '../../src/plans/plan.ts';
import { buildModelRequest } from '../../src/requests/model-request.ts';
import { promptTag } from '../../src/tasks/prompt-hash.ts';
import { taskOf } from '../../src/tasks/tasks.ts';
import type { WorkflowSpec } from '../../src/workflows/workflow.ts';
import { makeTemporaryFolder } from '../helpers/temporary-folder.ts';

const HEAD = `
providers:
  acme: { kind: openai, baseUrl: "http://127.0.0.1:7111/v1", apiKey: k }
  firm: { kind: openai, baseUrl: "http://127.0.0.1:7112/v1", apiKey: k, temperature: false }
models:
  small: { provider: acme, id: small-2026-01-01, temperature: 0.2 }
  spare: { provider: acme, id: spare-2026-01-01 }
  stiff: { provider: firm, id: stiff-2026-01-01 }
workflows:
`;

async function load(workflow: string, files: Readonly<Record<string, string | Buffer>> = {}): Promise<WorkflowSpec> {
  await using folder = await makeTemporaryFolder();
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder.path, name), content);
  const file = join(folder.path, 'nightmill.yaml');
  writeFileSync(file, `${HEAD}  triage: ${workflow}\n`);
  const { workflows } = loadConfig({ file, env: {}, cwd: '/' });
  const spec = workflows.get('triage')?.spec;
  if (spec === undefined) throw new RangeError('There is no workflow triage');
  return spec;
}

const triage = (cascade: string, more = '') => `{ task: classify, labels: [a, b], cascade: [${cascade}]${more} }`;

/** What each paid tier's model is asked around an empty document. */
function requests(spec: WorkflowSpec) {
  const { single } = taskOf(spec).prompts(spec);
  return spec.cascade.map(({ model }) => buildModelRequest(model, single, 'first'));
}

describe('instructions and temperature of a tier', () => {
  it('reach the requests of this tier alone, its fallbacks included', async () => {
    const spec = await load(
      triage(
        '{ model: small, temperature: 0, instructions: Be quick., fallback: [spare] }, { model: small }',
        ', instructions: Prices are a.',
      ),
    );
    const [first, second] = requests(spec);
    expect(first?.messages[0]?.content).toMatch(/Prices are a\.[\s\S]*\n\nBe quick\.$/);
    expect(second?.messages[0]?.content).not.toContain('Be quick.');
    expect([first?.temperature, second?.temperature]).toEqual([0, 0.2]);
    expect(spec.cascade[0]?.fallbacks?.[0]).toMatchObject({ temperature: 0, instructions: 'Be quick.' });
    expect(first?.messages[1]).toEqual(second?.messages[1]);
  });

  it('make another workflow, another prompt and another calibration', async () => {
    const specs = [
      await load(triage('{ model: small }')),
      await load(triage('{ model: small, instructions: Be quick. }')),
      await load(triage('{ model: small, instructions: Be slow. }')),
      await load(triage('{ model: small, temperature: 1 }')),
    ];
    expect(new Set(specs.map(workflowHash)).size).toBe(4);
    expect(new Set(specs.map(calibrationIdentity)).size).toBe(4);
    // A temperature is not said to a model.
    expect(new Set(specs.map(promptTag)).size).toBe(3);
  });

  it('count in what a document may hold and cost', async () => {
    const long = 'Complaints about prices belong to a. '.repeat(100);
    const [plain, told] = [
      await load(triage('{ model: small }')),
      await load(triage(`{ model: small, instructions: "${long}" }`)),
    ];
    const sizeOf = (spec: WorkflowSpec) => promptSizes(spec, spec.cascade[0]?.model as never).single.prompt;
    expect(sizeOf(told) - sizeOf(plain)).toBeGreaterThan(500);
  });

  it('are refused where they would do nothing', async () => {
    await expect(
      load(triage('{ model: local, temperature: 0, instructions: Be quick. }, { model: small }')),
    ).rejects.toThrow(
      /cascade\.0\.instructions: the local model reads no prompt; leave it out\n.*cascade\.0\.temperature: the local model has none/,
    );
    await expect(load(triage('{ model: small, temperature: 0, fallback: [stiff] }'))).rejects.toThrow(
      /cascade\.0\.temperature: provider firm refuses a temperature, and stiff is asked with 0 here/,
    );
    await expect(load('{ task: chat, cascade: [{ model: small, instructions: Be quick. }] }')).rejects.toThrow(
      /cascade\.0\.instructions: task chat sends each document as it is/,
    );
  });
});

describe('a prompt from a file', () => {
  const withPrompt = (more = '') => triage('{ model: small }', `, prompt: triage.md${more}`);

  it('says what instructions say, beside the config whatever the working folder is', async () => {
    const fromFile = await load(withPrompt(), { 'triage.md': '\uFEFFPrices are a.\nThe rest is b.\n' });
    const written = await load(triage('{ model: small }', ', instructions: "Prices are a.\\nThe rest is b."'));
    expect(workflowHash(fromFile)).toBe(workflowHash(written));
    const [{ messages } = { messages: [] }] = requests(fromFile);
    expect(messages[0]?.content).toContain('Prices are a.\nThe rest is b.');
    expect(messages[1]?.content).toMatch(/^<document-/);
  });

  it('makes other batches when its content changes', async () => {
    const [first, second] = [
      await load(withPrompt(), { 'triage.md': 'one' }),
      await load(withPrompt(), { 'triage.md': 'two' }),
    ];
    expect(workflowHash(first)).not.toBe(workflowHash(second));
    expect(promptTag(first)).not.toBe(promptTag(second));
  });

  it('is refused where it cannot be what is meant', async () => {
    await expect(load(withPrompt())).rejects.toThrow(/workflows\.triage\.prompt: cannot read .*triage\.md/);
    await expect(load(withPrompt(), { 'triage.md': ' \n' })).rejects.toThrow(/prompt: .*triage\.md is empty/);
    await expect(load(withPrompt(), { 'triage.md': Buffer.from([0x50, 0xff, 0x50]) })).rejects.toThrow(
      /prompt: .*triage\.md is not UTF-8/,
    );
    await expect(load(withPrompt(), { 'triage.md': 'x'.repeat(20_001) })).rejects.toThrow(
      /prompt: .*triage\.md has 20001 characters, and 20000 may be added to a prompt/,
    );
    await expect(load(withPrompt(', instructions: x'), { 'triage.md': 'y' })).rejects.toThrow(
      /prompt: instructions stand in the config as well; keep one of them/,
    );
    await expect(
      load('{ task: chat, cascade: [{ model: small }], prompt: triage.md }', { 'triage.md': 'x' }),
    ).rejects.toThrow(/workflows\.triage\.prompt: task chat sends each document as it is/);
  });
});
