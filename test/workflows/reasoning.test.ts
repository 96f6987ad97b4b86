import { describe, expect, it } from 'vitest';
import { usdToNano } from '../../src/money/money.ts';
import { planCost, planDocument, promptSizes, shapeDocument } from '../../src/plans/plan.ts';
import { holdFor } from '../../src/requests/estimate.ts';
import { buildModelRequest, callKey } from '../../src/requests/model-request.ts';
import { windowsOf } from '../../src/tasks/tasks.ts';
import type { ReasoningSpec } from '../../src/workflows/reasoning.ts';
import type { ModelSpec, SummarizeWorkflow } from '../../src/workflows/workflow.ts';

const price = {
  inputPerMillion: usdToNano(1),
  cachedInputPerMillion: usdToNano(1),
  outputPerMillion: usdToNano(5),
};
const MODEL: ModelSpec = {
  name: 'small',
  provider: 'acme',
  pool: 'acme',
  id: 'small-2026-01-01',
  contextTokens: 8000,
  maxOutputTokens: 4000,
  temperature: 0,
  price,
  structuredOutput: 'json_object',
  logprobs: false,
};
const PROMPT = {
  version: 1,
  messages: [{ role: 'user' as const, content: 'One' }],
  outputTokens: 40,
  responseSchema: { name: 'x', schema: { type: 'object' } },
};

const thinking = (reasoning: ReasoningSpec): ModelSpec => ({ ...MODEL, reasoning });
const LOW = thinking({ ask: { effort: 'low' }, tokens: 1000 });

describe('buildModelRequest()', () => {
  it('without reasoning gives the request, and so the key, that it always gave', () => {
    const request = buildModelRequest(MODEL, PROMPT, 'first');
    expect(JSON.stringify(request)).toBe(
      '{"modelId":"small-2026-01-01","messages":[{"role":"user","content":"One"}],"maxOutputTokens":40,' +
        '"temperature":0,"responseFormat":{"kind":"json_object"},"logprobs":false}',
    );
    expect(callKey('acme', request)).toBe('m3bdM8f9njne0WoWTKVTmw');
    expect(buildModelRequest(MODEL, PROMPT, 'raised_cap').maxOutputTokens).toBe(160);
  });

  it('adds the room to the cap, and raises both where a reply was cut off', () => {
    expect(buildModelRequest(LOW, PROMPT, 'first')).toMatchObject({
      maxOutputTokens: 1040,
      reasoning: { effort: 'low' },
    });
    const raised = { ...LOW, maxOutputTokens: 100_000 };
    expect(buildModelRequest(raised, PROMPT, 'raised_cap').maxOutputTokens).toBe(4160);
    expect(buildModelRequest(LOW, PROMPT, 'raised_cap').maxOutputTokens).toBe(4000);
  });

  it('gives every way to think a key of its own, and sends nothing where only room is wanted', () => {
    const ways: ReasoningSpec[] = [
      { ask: { effort: 'none' }, tokens: 0 },
      { ask: { effort: 'low' }, tokens: 0 },
      { ask: { effort: 'low' }, tokens: 1000 },
      { ask: { budget: 1000 }, tokens: 1000 },
      { tokens: 1000 },
    ];
    const models = [MODEL, ...ways.map(thinking)];
    expect(new Set(models.map((model) => callKey('acme', buildModelRequest(model, PROMPT, 'first')))).size).toBe(6);
    expect(buildModelRequest(thinking({ tokens: 1000 }), PROMPT, 'first')).not.toHaveProperty('reasoning');
  });
});

describe('room for thinking', () => {
  const workflow = (model: ModelSpec): SummarizeWorkflow => ({
    name: 'w',
    task: 'summarize',
    cascade: [{ model }],
    summary: { maxWords: 50 },
  });

  it('is in the hold of a call', () => {
    const hold = (model: ModelSpec) => holdFor(model, 100, buildModelRequest(model, PROMPT, 'first').maxOutputTokens);
    expect(hold(LOW) - hold(MODEL)).toBe(1000 * 5000);
  });

  it('is taken from the windows of documents', () => {
    const plain = windowsOf(workflow(MODEL));
    const room = windowsOf(workflow(LOW));
    expect(plain.whole - room.whole).toBe(850);
    expect(room.part).toBeLessThan(plain.part);
    expect(plain.notes - room.notes).toBe(850);
  });

  it('is in the plan of every call, in the tokens and in the worst case of the cost', () => {
    const planOf = (model: ModelSpec) => {
      const spec = workflow(model);
      return planDocument(spec, promptSizes(spec, model), shapeDocument(spec, 100));
    };
    expect(planOf(LOW).outputTokens - planOf(MODEL).outputTokens).toBe(1000);
    const cost = (model: ModelSpec) => planCost(workflow(model), planOf);
    // A first call and one with its cap raised fourfold, whose prompt quotes the reply.
    const more = 1000 * 5000 + 4 * 1000 * 5000;
    expect(cost(LOW).worst - cost(MODEL).worst).toBeGreaterThanOrEqual(more);
    expect(cost(LOW).expected).toBeGreaterThan(cost(MODEL).expected);
  });
});
