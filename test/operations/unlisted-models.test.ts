import { expect, it } from 'vitest';
import { describeUnlisted } from '../../src/operations/unlisted-models.ts';
import type { ModelSpec } from '../../src/workflows/workflow.ts';

const model = (name: string, provider: string, id: string) => ({ name, provider, id }) as ModelSpec;
const providers = new Map(['acme', 'gone', 'open'].map((name) => [name, { name }]));

it('a model that its provider does not list is named, with what looks like it', async () => {
  const cascade = [
    { model: model('local', 'local', 'local') },
    { model: model('small', 'acme', 'smal-2026-01-01'), fallbacks: [model('other', 'gone', 'x')] },
    { model: model('large', 'acme', 'large-2026-01-01') },
    { model: model('any', 'open', 'y') },
  ];
  const lines = await describeUnlisted({ cascade }, providers, ({ name }) => {
    if (name === 'gone') return Promise.reject(new Error('away'));
    return Promise.resolve(name === 'open' ? {} : { models: ['small-2026-01-01', 'large-2026-01-01'] });
  });
  expect(lines).toEqual([
    'provider acme does not list "smal-2026-01-01" but small-2026-01-01; if it does not take it, the batch pauses at its first call. Check models.small.id.',
  ]);
});
