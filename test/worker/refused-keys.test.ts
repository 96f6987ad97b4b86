import { expect, test } from 'vitest';
import { describeNotLocal, notLocalProviders } from '../../src/worker/missing-providers.ts';
import { RefusedKeys } from '../../src/worker/refused-keys.ts';
import type { Tier } from '../../src/workflows/workflow.ts';

const tier = (provider: string) => ({ model: { provider } }) as unknown as Tier;

test('a refused key is remembered for a minute, by provider, and forgotten when told', () => {
  let now = 0;
  const keys = new RefusedKeys(() => now);
  expect(keys.note('acme', 'HTTP 401')).toBe(true);
  expect(keys.note('acme', 'HTTP 401')).toBe(false);
  expect(keys.whyNot([tier('other'), tier('acme')])).toBe('HTTP 401');
  expect(keys.whyNot([tier('other')])).toBeUndefined();
  now = 60_000;
  expect(keys.whyNot([tier('acme')])).toBeUndefined();
  keys.note('acme', 'HTTP 401');
  keys.forget('acme');
  expect(keys.whyNot([tier('acme')])).toBeUndefined();
});

test('a private batch needs providers that the config declares local', () => {
  expect(notLocalProviders([tier('local'), tier('acme'), tier('house')], new Set(['house']))).toEqual(['acme']);
  expect(describeNotLocal(['acme'], 'b.yaml')).toContain('its config (b.yaml) does not declare "acme" local');
});
