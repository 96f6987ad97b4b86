import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasBudget, loadConfig } from '../../config/load.ts';
import { requirePrices } from '../../src/batches/submit-batch.ts';

let cwd: string;

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'config-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

const PRICE = 'price: { inputPerMillion: 1, outputPerMillion: 2 }';

/** The workflow `w` with this cascade, over a priced cloud model `a`, an unpriced one `b` and a priced one at home, `own`. */
function load(cascade: string, more = '', task = 'task: summarize') {
  writeFileSync(
    join(cwd, 'nightmill.yaml'),
    `providers:
  one: { kind: openai, baseUrl: "http://one/v1" }
  two: { kind: openai, baseUrl: "http://two/v1" }
  home: { kind: openai, baseUrl: "http://home/v1", dataPolicy: { location: local } }
  here: { kind: local }
models:
  a: { provider: one, id: a-2026-01-01, ${PRICE} }
  b: { provider: two, id: b-2026-01-01 }
  own: { provider: home, id: own-2026-01-01, ${PRICE} }
  built-in: { provider: here, id: local }
workflows:
  w: { ${task}, cascade: [${cascade}]${more} }
`,
  );
  const workflow = loadConfig({ env: {}, cwd }).workflows.get('w');
  if (workflow === undefined) throw new Error('There is no workflow w');
  return workflow.spec;
}

describe('fallback of a tier', () => {
  it('names the models that stand in, in their order', () => {
    const [tier] = load('{ model: a, fallback: [own, b] }').cascade;
    expect(tier?.model.name).toBe('a');
    expect(tier?.fallbacks?.map(({ name, provider }) => `${provider}/${name}`)).toEqual(['home/own', 'two/b']);
    expect(load('{ model: a, fallback: [] }').cascade[0]).not.toHaveProperty('fallbacks');
  });

  it('refuses a name that is no model, and lists those there are', () => {
    expect(() => load('{ model: a, fallback: [own, c] }')).toThrow(
      /workflows\.w\.cascade\.0\.fallback\.1: there is no model "c"; .*a.*b.*own/,
    );
  });

  it.each(['[own, local]', '[own, built-in]'])('may end with the local model, in %s', (fallback) => {
    const [tier] = load(`{ model: a, fallback: ${fallback} }`).cascade;
    expect(tier).toMatchObject({ standsInLocally: true, fallbacks: [{ name: 'own' }] });
    const [alone] = load('{ model: a, fallback: [local] }').cascade;
    expect(alone).toMatchObject({ standsInLocally: true });
    expect(alone).not.toHaveProperty('fallbacks');
  });

  it('refuses the local model where it would mean nothing', () => {
    expect(() => load('{ model: local, fallback: [a] }')).toThrow(
      /workflows\.w\.cascade\.0\.fallback: the local model has no provider that could fail/,
    );
    expect(() => load('{ model: a, fallback: [local, own] }')).toThrow(/fallback: .*name it last/);
  });

  it('refuses the local model for a task that it has no answer to', () => {
    expect(() => load('{ model: a, fallback: [local] }', '', 'task: chat')).toThrow(
      /cascade\.0\.fallback: the local model has no answer for task chat/,
    );
  });

  it('needs a price where a budget applies, like the model that it stands in for', () => {
    const unpriced = load('{ model: a, fallback: [own, b] }');
    expect(() => requirePrices(unpriced, true)).toThrow(/the price of its model b \(b-2026-01-01\) is not known/);
    expect(() => requirePrices(unpriced, false)).not.toThrow();
    expect(() => requirePrices(load('{ model: a, fallback: [own] }'), true)).not.toThrow();
  });

  it('of a private workflow stays at home too', () => {
    expect(() => load('{ model: own, fallback: [a] }', ', private: true')).toThrow(
      /workflows\.w\.cascade\.0: the workflow is private, and model a is on provider one, which is not declared local/,
    );
    expect(load('{ model: local }, { model: own }', ', private: true').private).toBe(true);
  });
});

describe('a limit for each document', () => {
  it('is stored with the batch, and makes a price needed', () => {
    const more = ', budget: { document: 0.05 }';
    const spec = load('{ model: a }', more);
    expect(spec.documentLimit).toBe(50_000_000);
    expect(load('{ model: a }')).not.toHaveProperty('documentLimit');
    const { workflows, ...config } = loadConfig({ env: {}, cwd });
    const workflow = workflows.get('w');
    if (workflow === undefined) throw new Error('There is no workflow w');
    expect(hasBudget({ workflows, ...config }, { ...workflow, spec }, undefined)).toBe(true);
    expect(hasBudget({ workflows, ...config }, workflow, undefined)).toBe(false);
  });
});

describe('several hosts of a tier', () => {
  it('are the models of the list, asked by quota where nothing else is said', () => {
    const [tier] = load('{ model: [a, own] }').cascade;
    expect(tier).toMatchObject({ model: { name: 'a' }, hosts: [{ name: 'own' }], spread: 'quota' });
    expect(load('{ model: [a, own], spread: fastest, fallback: [b] }').cascade[0]).toMatchObject({
      spread: 'fastest',
      fallbacks: [{ name: 'b' }],
    });
  });

  it.each([
    ['{ model: [a, local] }', /cascade\.0\.model: the local model runs in the worker and has no hosts/],
    ['{ model: [a, a] }', /cascade\.0\.model: "a" is named twice/],
    ['{ model: [a, c] }', /cascade\.0\.model\.1: there is no model "c"/],
    ['{ model: a, spread: quota }', /cascade\.0\.spread: there is one host/],
    ['{ model: [a, own], spread: random }', /cascade\.0\.spread/],
  ])('refuses %s', (cascade, problem) => {
    expect(() => load(cascade)).toThrow(problem);
  });

  it('of a private workflow stay at home, and of one with a budget all have a price', () => {
    expect(() => load('{ model: [own, a] }', ', private: true')).toThrow(/the workflow is private, and model a/);
    expect(() => requirePrices(load('{ model: [a, b] }'), true)).toThrow(/the price of its model b/);
  });
});
