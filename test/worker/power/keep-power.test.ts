import { describe, expect, it } from 'vitest';
import type { App } from '../../../src/app.ts';
import { needsOf, serverToWaitFor } from '../../../src/worker/power/keep-power.ts';
import { SMALL } from '../../helpers/memory/memory-app.ts';

const GPU = { ...SMALL, name: 'own', provider: 'gpu' };

interface World {
  readonly batches: readonly { readonly workflow: string; readonly state?: string; readonly pause?: object }[];
  readonly pauses?: Readonly<Record<string, string>>;
  readonly state?: string;
}

/** The parts of an app that are looked at; every workflow but `cloud` asks the server, `spare` as a fallback. */
function appOf({ batches, pauses = {}, state = 'off' }: World): App {
  const cascades: Readonly<Record<string, object>> = {
    cloud: [{ model: SMALL }],
    spare: [{ model: SMALL, fallbacks: [GPU] }],
  };
  return {
    config: {
      providers: new Map([
        ['acme', {}],
        ['gpu', { power: {} }],
      ]),
    },
    memory: { noted: async () => JSON.stringify({ state, since: 0, step: 0, workflows: [] }) },
    batches: {
      listOpen: async () => batches.map((batch, index) => ({ batchId: `b${index}`, state: 'running', ...batch })),
    },
    pauses: { all: async (name: string) => (pauses[name] === undefined ? [] : [{ cause: pauses[name] }]) },
    slices: {
      submission: async (id: string) => ({
        workflow: { cascade: cascades[batches[Number(id.slice(1))]?.workflow ?? ''] ?? [{ model: GPU }] },
      }),
    },
  } as unknown as App;
}

describe('who needs a server', () => {
  it('an open batch whose cascade may ask it, as a tier or a fallback', async () => {
    const app = appOf({
      batches: [{ workflow: 'night' }, { workflow: 'cloud' }, { workflow: 'spare' }, { workflow: 'night' }],
    });
    expect(await needsOf(app, 'gpu')).toEqual([
      { workflow: 'night', batches: ['b0', 'b3'] },
      { workflow: 'spare', batches: ['b2'] },
    ]);
  });

  it('not one that is paused by a budget or a person, but one that waits for the provider', async () => {
    const batches = [{ workflow: 'a' }, { workflow: 'b' }, { workflow: 'c' }];
    const pauses = { a: 'budget', b: 'operator', c: 'provider' };
    expect(await needsOf(appOf({ batches, pauses }), 'gpu')).toEqual([{ workflow: 'c', batches: ['b2'] }]);
  });

  it('not one that is paused alone, or that is being finalized', async () => {
    const batches = [
      { workflow: 'a', pause: {} },
      { workflow: 'b', state: 'finalizing' },
    ];
    expect(await needsOf(appOf({ batches }), 'gpu')).toEqual([]);
  });
});

describe('slices of a server', () => {
  it('wait while it is off or on its way, and no longer when it is on or has failed', async () => {
    const waits = async (state: string) => await serverToWaitFor(appOf({ batches: [], state }), [{ model: GPU }]);
    expect([await waits('off'), await waits('starting')]).toEqual(['gpu', 'gpu']);
    expect([await waits('on'), await waits('failed')]).toEqual([undefined, undefined]);
    expect(await serverToWaitFor(appOf({ batches: [] }), [{ model: SMALL }])).toBeUndefined();
  });
});
