import { describe, expect, it } from 'vitest';
import { loadConfigValue } from '../../config/load.ts';
import { workflowFor } from '../../config/workflows/tenant-workflow.ts';
import { workflowHash } from '../../src/batches/workflow-hash.ts';
import { readYaml } from '../../src/text/yaml-value.ts';

const PRICE = 'price: { inputPerMillion: 1, outputPerMillion: 2 }';

function load(more: string, top = '') {
  const yaml = readYaml(`
providers: { acme: { kind: openai, baseUrl: "http://127.0.0.1:7111/v1", apiKey: k } }
models:
  small: { provider: acme, id: small-2026-01-01, ${PRICE} }
  large: { provider: acme, id: large-2026-01-01, ${PRICE} }
workflows:
  triage:
    task: classify
    labels: [a, b]
    cascade: [{ model: small, acceptAt: 0.8 }, { model: large }]
    budget: { batch: 5, day: 20 }
    ${more}
${top}
`);
  if ('problems' in yaml) throw new RangeError(yaml.problems.join());
  return loadConfigValue(yaml.value, { env: {}, cwd: '/' });
}

function triage(more: string) {
  const workflow = load(more).workflows.get('triage');
  if (workflow === undefined) throw new RangeError('There is no workflow triage');
  return workflow;
}

const models = ({ spec }: { readonly spec: { readonly cascade: readonly { readonly model: { name: string } }[] } }) =>
  spec.cascade.map(({ model }) => model.name);

describe('tenants of a workflow', () => {
  const shared = `
    plans: { cheap: { cascade: [{ model: small }], budget: { batch: 1 }, priority: 3 } }
    tenants:
      free: { plan: cheap }
      trial: { plan: cheap, priority: 9 }
      gold: { cascade: [{ model: large }] }
      slow: { priority: 4 }`;

  it('have a cascade, a limit and a priority of their own, or those of a plan that several share', () => {
    const workflow = triage(shared);
    const free = workflowFor(workflow, 'free');
    expect([models(free), free.budget, free.priority, free.plan]).toEqual([
      ['small'],
      { batch: 1e9, day: 20e9 },
      3,
      'cheap',
    ]);
    const trial = workflowFor(workflow, 'trial');
    expect([models(trial), trial.priority, trial.plan]).toEqual([['small'], 9, 'cheap']);
    const gold = workflowFor(workflow, 'gold');
    expect([models(gold), gold.budget.batch, gold.plan]).toEqual([['large'], 5e9, 'gold']);
    const slow = workflowFor(workflow, 'slow');
    expect([models(slow), slow.priority, slow.plan]).toEqual([['small', 'large'], 4, 'slow']);
    for (const other of [undefined, 'somebody']) {
      expect(workflowFor(workflow, other)).toMatchObject({ priority: 0, spec: workflow.spec });
      expect(workflowFor(workflow, other)).not.toHaveProperty('plan');
    }
  });

  it('change the hash of no cascade but their own, whatever the plan is called', () => {
    const plain = triage('');
    const workflow = triage(shared);
    const hash = (tenant?: string) => workflowHash(workflowFor(workflow, tenant).spec);
    expect([hash(), hash('slow')]).toEqual([workflowHash(plain.spec), workflowHash(plain.spec)]);
    expect(hash('free')).toBe(hash('trial'));
    expect(hash('free')).not.toBe(hash());
    const renamed = triage('tenants: { free: { cascade: [{ model: small }] } }');
    expect(workflowHash(workflowFor(renamed, 'free').spec)).toBe(hash('free'));
  });

  it('are known tenants, beside those with a limit over all workflows', () => {
    const { tenants } = load('tenants: { free: { priority: 1 } }', 'tenants: { shop: { budget: { day: 10 } } }');
    expect([...tenants]).toEqual([
      ['free', {}],
      ['shop', { day: 10e9 }],
    ]);
  });

  it.each([
    ['tenants: { free: { plan: chaep } }', 'workflows.triage.tenants.free.plan: there is no plan "chaep"'],
    [
      'tenants: { free: { cascade: [{ model: tiny }] } }',
      'workflows.triage.tenants.free.cascade.0.model: there is no model "tiny"',
    ],
    [
      'plans: { cheap: { cascade: [{ model: small, acceptAt: calibrated }] } }',
      'workflows.triage.plans.cheap.cascade.0.acceptAt: a calibration is of the workflow',
    ],
    [
      'private: true\n    tenants: { free: { cascade: [{ model: small }] } }',
      'workflows.triage.tenants.free.cascade.0: the workflow is private',
    ],
    ['tenants: { free: { budget: { day: 1 } } }', 'workflows.triage.tenants.free.budget: Unrecognized key: "day"'],
  ])('are held to what the workflow is held to: %s', (more, problem) => {
    expect(() => load(more)).toThrow(problem);
  });

  it('say what is wrong with the workflow itself once', () => {
    const faulty = 'summary: { maxWords: 3 }\n    tenants: { free: { cascade: [{ model: small }] } }';
    expect(() => load(faulty)).toThrow('has 1 problem:');
  });
});
