import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { catalogueHint, cataloguePrice } from '../../config/catalogue.ts';
import { loadConfig } from '../../config/load.ts';
import { requirePrices } from '../../src/batches/submit-batch.ts';
import { NightmillError } from '../../src/errors.ts';
import { usdToNano } from '../../src/money/money.ts';
import type { ModelSpec, WorkflowSpec } from '../../src/workflows/workflow.ts';

const OPENAI = 'https://api.openai.com/v1';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nightmill-price-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Given {
  readonly baseUrl?: string;
  readonly id?: string;
  readonly price?: string;
}

/** The workflow of a config with one model. */
function workflowOf({ baseUrl = OPENAI, id = 'gpt-4o-mini-2024-07-18', price }: Given): WorkflowSpec {
  const file = join(folder, 'nightmill.yaml');
  writeFileSync(
    file,
    `providers:
  acme: { kind: openai, baseUrl: "${baseUrl}" }
models:
  small: { provider: acme, id: "${id}", allowAlias: true${price === undefined ? '' : `, price: ${price}`} }
workflows:
  shorten: { task: summarize, cascade: [{ model: small }] }
`,
  );
  return loadConfig({ file, env: {}, cwd: folder }).workflows.get('shorten')!.spec;
}

function priceOf(given: Given): ModelSpec['price'] {
  return workflowOf(given).cascade[0]!.model.price;
}

function problemOf(given: Given): string {
  try {
    workflowOf(given);
  } catch (error) {
    return (error as NightmillError).message;
  }
  throw new Error('the config was accepted');
}

describe('the price of a model in the config', () => {
  it('a model without a price takes the one that the catalogue lists', () => {
    expect(priceOf({})).toEqual(cataloguePrice(OPENAI, 'gpt-4o-mini-2024-07-18'));
    expect(priceOf({})?.inputPerMillion).toBe(usdToNano(0.15));
  });

  it('a price in the config replaces the listed one as a whole', () => {
    expect(priceOf({ price: '{ inputPerMillion: 0.2, outputPerMillion: 0.7 }' })).toEqual({
      inputPerMillion: usdToNano(0.2),
      cachedInputPerMillion: usdToNano(0.2),
      outputPerMillion: usdToNano(0.7),
    });
  });

  it("a model on one's own server has no price, whatever its name", () => {
    expect(priceOf({ baseUrl: 'http://127.0.0.1:8000/v1' })).toBeUndefined();
  });

  it('every field of a price is read, long-context rates and the discount included', () => {
    const price = `{ inputPerMillion: 2, cachedInputPerMillion: 0.2, cacheWritePerMillion: 2.5, outputPerMillion: 10,
      reasoningPerMillion: 4, discount: 0.5,
      longContext: [{ aboveInputTokens: 272000, inputPerMillion: 4, outputPerMillion: 15 }] }`;
    expect(priceOf({ price })).toEqual({
      inputPerMillion: usdToNano(2),
      cachedInputPerMillion: usdToNano(0.2),
      cacheWritePerMillion: usdToNano(2.5),
      outputPerMillion: usdToNano(10),
      reasoningPerMillion: usdToNano(4),
      paidPerMille: 500,
      longContext: [
        {
          aboveInputTokens: 272_000,
          inputPerMillion: usdToNano(4),
          cachedInputPerMillion: usdToNano(4),
          outputPerMillion: usdToNano(15),
        },
      ],
    });
  });

  it('a discount alone applies to the listed price', () => {
    expect(priceOf({ price: '{ discount: 0.5 }' })).toEqual({
      ...cataloguePrice(OPENAI, 'gpt-4o-mini-2024-07-18'),
      paidPerMille: 500,
    });
  });

  it('a discount alone is refused where the catalogue has no price', () => {
    const problem = problemOf({ price: '{ discount: 0.5 }', id: 'my-model' });
    expect(problem).toContain('models.small.price: a discount alone applies to the price catalogue');
    expect(problem).toContain(`does not list "my-model" at ${OPENAI}; add inputPerMillion and outputPerMillion`);
  });

  it.each([
    ['{ inputPerMillion: 1 }', 'models.small.price.outputPerMillion: a price needs it'],
    ['{ outputPerMillion: 1, discount: 0.5 }', 'models.small.price.inputPerMillion: a price needs it'],
    ['{ cacheWritePerMillion: 1, discount: 0.5 }', 'models.small.price.inputPerMillion: a price needs it'],
    ['{}', 'models.small.price.inputPerMillion: a price needs it'],
    ['{ discount: 0 }', 'models.small.price.discount'],
    ['{ discount: 1.1 }', 'models.small.price.discount'],
    ['{ discount: 0.3333 }', 'models.small.price.discount'],
    ['{ inputPerMillion: 1, outputPerMillion: -1 }', 'models.small.price.outputPerMillion'],
    [
      '{ inputPerMillion: 1, outputPerMillion: 1, longContext: [{ inputPerMillion: 2, outputPerMillion: 2 }] }',
      'models.small.price.longContext.0.aboveInputTokens',
    ],
  ])('the price %s is refused with its path', (price, problem) => {
    expect(problemOf({ price })).toContain(problem);
  });
});

describe('requirePrices()', () => {
  const hintFor = (model: ModelSpec) => catalogueHint(OPENAI, model.id);

  it('requirePrices() names the line to add and a listed id that is nearly the same', () => {
    const workflow = workflowOf({ id: 'gpt-4o-mini-next' });
    let error: unknown;
    try {
      requirePrices(workflow, true, hintFor);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(NightmillError);
    const { code, message } = error as NightmillError;
    expect(code).toBe('price_unknown');
    expect(message).toContain('Add under models.small: price: { inputPerMillion: USD, outputPerMillion: USD }\n');
    expect(message).toContain('gpt-4o-mini ($0.15 in, $0.6 out), ');
  });

  it('requirePrices() adds nothing where no name is similar, and accepts a listed price or no budget', () => {
    const unknown = workflowOf({ id: 'my-model' });
    expect(() => requirePrices(unknown, true, hintFor)).toThrow(/outputPerMillion: USD \}$/);
    expect(() => requirePrices(unknown, false, hintFor)).not.toThrow();
    expect(() => requirePrices(workflowOf({}), true, hintFor)).not.toThrow();
  });
});

it('takes stated costs and an overrun with rates, or with those of the price catalogue', () => {
  const rates = 'inputPerMillion: 1, outputPerMillion: 2';
  const own = priceOf({
    baseUrl: 'https://broker.example/v1',
    id: 'own-1',
    price: `{ stated: true, maxOverrun: 0.01, ${rates} }`,
  });
  expect(own).toMatchObject({ isStated: true, maxOverrun: 10_000_000, inputPerMillion: usdToNano(1) });
  expect(priceOf({ price: '{ stated: true }' })).toMatchObject({ isStated: true, outputPerMillion: usdToNano(0.6) });
  expect(problemOf({ baseUrl: 'https://broker.example/v1', id: 'own-1', price: '{ maxOverrun: 0.01 }' })).toContain(
    'add inputPerMillion and outputPerMillion',
  );
});
