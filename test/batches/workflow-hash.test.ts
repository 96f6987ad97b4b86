import { describe, expect, it } from 'vitest';
import { workflowHash } from '../../src/batches/workflow-hash.ts';
import type { ModelSpec, Spread, SummarizeWorkflow } from '../../src/workflows/workflow.ts';
import { poolOf } from '../../src/workflows/workflow.ts';

const MODEL: ModelSpec = {
  name: 'small',
  provider: 'acme',
  id: 'small-2026-01-01',
  contextTokens: 8000,
  maxOutputTokens: 1000,
  structuredOutput: 'prompt',
  logprobs: false,
};

function workflow(model: ModelSpec, ...fallbacks: readonly ModelSpec[]): SummarizeWorkflow {
  const tier = { model, acceptAt: 0.5, ...(fallbacks.length === 0 ? {} : { fallbacks }) };
  return { name: 'w', task: 'summarize', cascade: [tier], summary: { maxWords: 50 } };
}

describe('workflowHash()', () => {
  const hash = workflowHash(workflow(MODEL));

  it('is the one of versions without pools, whatever pool a model is in', () => {
    expect(hash).toBe('3857cf559454472c14fcedd25b36a1f9eeb4a893c4b006ef024fc3df72a86c22');
    expect(workflowHash(workflow({ ...MODEL, pool: 'acme' }))).toBe(hash);
    expect(workflowHash(workflow({ ...MODEL, pool: 'other' }))).toBe(hash);
  });

  it('does not depend on the pools of fallbacks, but on which they are', () => {
    const one = workflowHash(workflow(MODEL, { ...MODEL, name: 'b', pool: 'one' }));
    expect(workflowHash(workflow(MODEL, { ...MODEL, name: 'b', pool: 'two' }))).toBe(one);
    expect(workflowHash(workflow(MODEL, { ...MODEL, name: 'c', pool: 'one' }))).not.toBe(one);
    expect(one).not.toBe(hash);
  });

  it('depends on the hosts of a model and on how calls go to them, not on their pools', () => {
    const hosts = (pool: string, spread: Spread = 'quota') =>
      workflowHash({ ...workflow(MODEL), cascade: [{ model: MODEL, hosts: [{ ...MODEL, name: 'b', pool }], spread }] });
    expect(hosts('two')).toBe(hosts('one'));
    expect(hosts('one', 'fastest')).not.toBe(hosts('one'));
    expect(hosts('one')).not.toBe(hash);
  });

  it('changes with what a model does: its id, its thinking', () => {
    expect(workflowHash(workflow({ ...MODEL, id: 'small-2026-02-02' }))).not.toBe(hash);
    expect(workflowHash(workflow({ ...MODEL, reasoning: { ask: { effort: 'none' }, tokens: 0 } }))).not.toBe(hash);
  });
});

describe('poolOf()', () => {
  it('takes the provider’s pool for a model that was stored without one', () => {
    expect([poolOf(MODEL), poolOf({ ...MODEL, pool: 'mini' })]).toEqual(['acme', 'mini']);
  });
});
