import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/adapters/memory-store/memory-store.ts';
import { checkStore } from '../../src/doctor/check-store.ts';
import { StoreError } from '../../src/errors.ts';
import type { ObjectInfo } from '../../src/store/object-store.ts';

class ForgetfulStore extends MemoryStore {
  override async get(): Promise<undefined> {
    return undefined;
  }
}

class ManglingStore extends MemoryStore {
  override async get(): Promise<Uint8Array> {
    return Buffer.from('something else');
  }
}

class UnlistedStore extends MemoryStore {
  override async *list(): AsyncGenerator<ObjectInfo> {}
}

class KeepingStore extends MemoryStore {
  override async delete(): Promise<void> {}
}

const DENIED = new StoreError('store_denied', 'Cannot do it: no right to.');

class DenyingStore extends MemoryStore {
  readonly #method: string;

  constructor(method: 'put' | 'get' | 'list' | 'delete') {
    super();
    this.#method = method;
  }

  override async put(key: string, body: Uint8Array): Promise<void> {
    if (this.#method === 'put') throw DENIED;
    await super.put(key, body);
  }

  override async get(key: string): Promise<Uint8Array | undefined> {
    if (this.#method === 'get') throw DENIED;
    return await super.get(key);
  }

  override async *list(prefix: string): AsyncGenerator<ObjectInfo> {
    if (this.#method === 'list') throw DENIED;
    yield* super.list(prefix);
  }

  override async delete(keys: readonly string[]): Promise<void> {
    if (this.#method === 'delete') throw DENIED;
    await super.delete(keys);
  }
}

describe('checkStore()', () => {
  it.each([
    [new ForgetfulStore(), 'was written but cannot be read'],
    [new ManglingStore(), 'does not hold what was written'],
    [new UnlistedStore(), 'was written but is not listed'],
    [new KeepingStore(), 'was removed but is still there'],
  ])('throws a StoreError that says what the store got wrong', async (store, fact) => {
    await expect(checkStore(store, 'id')).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining(`.nightmill-probe/id ${fact}`),
    });
  });

  it.each(['put', 'get', 'list', 'delete'] as const)('passes on the refusal of %s() and cleans up', async (method) => {
    const store = new DenyingStore(method);
    await expect(checkStore(store, 'id')).rejects.toBe(DENIED);
    const left = await store.head('.nightmill-probe/id');
    if (method === 'delete') expect(left).toBeDefined();
    else expect(left).toBeUndefined();
  });
});
