import { describe, expect, it } from 'vitest';
import { loadConfigValue } from '../../config/load.ts';
import { candidateWorkflow } from '../../config/workflows/tenant-workflow.ts';

const config = loadConfigValue(
  {
    providers: {
      acme: { kind: 'openai', baseUrl: 'http://127.0.0.1:7111/v1', apiKey: 'k', dataPolicy: { training: false } },
      open: { kind: 'openai', baseUrl: 'http://127.0.0.1:7112/v1', apiKey: 'k' },
    },
    models: {
      small: { provider: 'acme', id: 'small-2026-01-01' },
      large: { provider: 'acme', id: 'large-2026-01-01' },
      tiny: { provider: 'acme', id: 'tiny-2026-01-01', contextTokens: 300, maxOutputTokens: 100 },
      leaky: { provider: 'open', id: 'leaky-2026-01-01' },
    },
    workflows: {
      w: {
        task: 'classify',
        labels: ['a', 'b'],
        cascade: [
          { model: 'local', acceptAt: 0.95 },
          { model: 'small', acceptAt: 0.8, fallback: ['large'] },
          { model: 'large' },
        ],
        plans: { free: { cascade: [{ model: 'local' }] }, paid: { budget: { batch: 1 } } },
      },
      bold: { task: 'classify', labels: ['a', 'b'], cascade: [{ model: 'small', acceptAt: 0.5 }, { model: 'large' }] },
      strict: { task: 'classify', labels: ['a', 'b'], cascade: [{ model: 'small' }], require: { training: false } },
      sums: { task: 'summarize', cascade: [{ model: 'small' }] },
      fields: {
        task: 'extract',
        extract: { schema: { type: 'object', properties: { a: { type: 'string' } }, required: [] } },
        cascade: [{ model: 'small' }],
      },
      sure: {
        task: 'classify',
        labels: ['a', 'b'],
        cascade: [{ model: 'small', acceptAt: 'calibrated' }, { model: 'large' }],
      },
    },
  },
  { env: {}, cwd: '/nowhere' },
);

function tried(text: string, name = 'w') {
  const workflow = config.workflows.get(name);
  if (workflow === undefined) throw new RangeError(`There is no workflow ${name}`);
  return candidateWorkflow(workflow, text);
}

const tiers = (text: string, name?: string) =>
  tried(text, name).spec.cascade.map(
    ({ model, acceptAt }) => `${model.name}${acceptAt === undefined ? '' : `@${acceptAt}`}`,
  );

describe('a candidate', () => {
  it('is a model, or tiers from the cheapest on, each with its threshold', () => {
    expect(tiers('large')).toEqual(['large']);
    expect(tiers('small@0.9>large')).toEqual(['small@0.9', 'large']);
    expect(tiers('local@1 > small@0.5 > large@0.2')).toEqual(['local@1', 'small@0.5', 'large@0.2']);
  });

  it('has the settings of the workflow’s own tier where none is written; its last tier takes every valid reply', () => {
    expect(tiers('local>small')).toEqual(['local@0.95', 'small']);
    expect(tiers('small>large')).toEqual(['small@0.8', 'large']);
    expect(tried('small@0.9>large').spec.cascade[0]?.fallbacks?.map(({ name }) => name)).toEqual(['large']);
    expect(tried('small>large').written).toEqual([
      { model: 'small', acceptAt: 0.8, fallback: ['large'] },
      { model: 'large' },
    ]);
  });

  it('is the cascade of a plan or of another workflow of the same task, or the workflow as it is', () => {
    expect(tiers('free')).toEqual(['local']);
    expect(tiers('bold')).toEqual(['small@0.5', 'large']);
    expect(tried('w').spec).toBe(config.workflows.get('w')?.spec);
  });

  it.each([
    ['nobody', 'w', /nobody cannot be a candidate for w: there is no such model, plan or workflow; .*small/],
    ['small@0.9>nobody', 'w', /there is no model "nobody"/],
    ['small@1.5>large', 'w', /threshold "1.5" of small is no number from 0 to 1/],
    ['small@>large', 'w', /threshold "" of small/],
    ['small>', 'w', /"" is no tier/],
    ['paid', 'w', /there is no such model, plan or workflow/],
    ['sums', 'w', /workflow of task summarize, and this one has task classify/],
    ['local>small', 'bold', /local without a threshold answers everything; write local@0.95/],
    ['sure', 'w', /threshold of small is calibrated/],
    ['small>large', 'sure', /threshold of small is calibrated/],
    ['tiny>large', 'w', /leaves .* for a document/],
    ['leaky', 'strict', /requires training: false/],
    ['small@0.9>large', 'sums', /has no confidence/],
    ['local', 'fields', /the local model has no answer for task extract/],
  ])('%s is refused for %s, with the reason', (text, name, reason) => {
    expect(() => tried(text, name)).toThrow(reason);
  });
});
