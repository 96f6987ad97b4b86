import { expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { RefusedKeys } from '../../src/worker/refused-keys.ts';
import { WorkerAbilities } from '../../src/worker/worker-abilities.ts';
import { SMALL, TRIAGE } from '../helpers/memory/memory-app.ts';

/** A worker whose config has the provider `acme` at another price and policy than the batch was submitted with. */
function workerWith(providers: readonly string[], local: readonly string[] = []) {
  const unable = new Map<string, string>();
  const logged: string[] = [];
  const app = {
    config: { file: 'b.yaml', providers: new Map(providers.map((name) => [name, {}])) },
    slices: { localProviders: new Set(local) },
    lease: { workerId: 'w-1' },
    log: { warn: (event: string, { reason }: { reason: string }) => logged.push(`${event} ${reason}`) },
    batches: {
      unable: async () => unable,
      noteUnable: async (_batch: string, worker: string, why: string) => unable.set(worker, why),
    },
  };
  const keys = new RefusedKeys(() => 0);
  return { abilities: new WorkerAbilities(app as unknown as App, keys), keys, unable, logged };
}

test('a batch whose provider the config lacks is left to others; status and, once, the log say so', async () => {
  const { abilities, unable, logged } = workerWith(['other']);
  expect(await abilities.leaves('b', TRIAGE)).toBe(true);
  expect(await abilities.leaves('b', TRIAGE)).toBe(true);
  expect(unable.get('w-1')).toBe('its config (b.yaml) has no provider "acme"');
  expect(logged).toEqual(['slice:deferred This worker cannot work on it: its config (b.yaml) has no provider "acme".']);
});

test('another data policy: a private batch is left to workers that declare its provider local', async () => {
  const secret = { ...TRIAGE, private: true as const };
  const elsewhere = workerWith(['acme']);
  expect(await elsewhere.abilities.leaves('b', secret)).toBe(true);
  expect(elsewhere.unable.get('w-1')).toMatch(/private, and its config \(b\.yaml\) does not declare "acme" local/);
  expect(await workerWith(['acme'], ['acme']).abilities.leaves('b', secret)).toBe(false);
});

test('a refused key leaves the batches of that provider, and no others', async () => {
  const { abilities, keys } = workerWith(['acme', 'house']);
  keys.note('acme', 'HTTP 401');
  expect(await abilities.leaves('b', TRIAGE)).toBe(true);
  const house = { ...TRIAGE, cascade: [{ model: { ...SMALL, provider: 'house' } }] };
  expect(await abilities.leaves('b', house)).toBe(false);
});

test('another price is no reason to leave a batch: it is reckoned at the prices that it was submitted with', async () => {
  const { abilities, unable } = workerWith(['acme']);
  expect(await abilities.leaves('b', TRIAGE)).toBe(false);
  expect(unable.size).toBe(0);
});
