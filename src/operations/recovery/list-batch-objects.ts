import type { ObjectStore } from '../../store/object-store.ts';
import { storeKeys } from '../../store/store-keys.ts';

/** What the store has of one batch, by its keys. */
export interface BatchObjects {
  readonly batchId: string;
  readonly hasManifest: boolean;
  /** Keys of rows that slices have written. */
  readonly keys: ReadonlySet<string>;
  /** Slice to the commits of its owners, the latest owner first. */
  readonly commits: ReadonlyMap<number, readonly { readonly key: string; readonly token: number }[]>;
  /** Slice to the highest token of an owner that has written anything. */
  readonly tokens: ReadonlyMap<number, number>;
}

/** Every batch in the store, in the order of ids. Only the keys of one batch are in memory. */
export async function* listBatchObjects(store: ObjectStore): AsyncGenerator<BatchObjects> {
  let batchId: string | undefined;
  let keys: string[] = [];
  for await (const { key } of store.list(storeKeys.batches)) {
    const [, id = ''] = key.split('/');
    if (id !== batchId && batchId !== undefined) yield describe(batchId, keys);
    if (id !== batchId) keys = [];
    batchId = id;
    keys.push(key);
  }
  if (batchId !== undefined) yield describe(batchId, keys);
}

function describe(batchId: string, all: readonly string[]): BatchObjects {
  const commits = new Map<number, { key: string; token: number }[]>();
  const tokens = new Map<number, number>();
  const keys = new Set<string>();
  for (const key of all) {
    const [, kind, number, owner] = /\/work\/(commit|results|errors)-(\d+)\.(\d+)\.json(?:l\.gz)?$/.exec(key) ?? [];
    if (kind === undefined) continue;
    const slice = Number(number);
    const token = Number(owner);
    tokens.set(slice, Math.max(token, tokens.get(slice) ?? 0));
    if (kind === 'commit') commits.set(slice, [...(commits.get(slice) ?? []), { key, token }]);
    else keys.add(key);
  }
  for (const owners of commits.values()) owners.sort((a, b) => b.token - a.token);
  return { batchId, hasManifest: all.includes(storeKeys.manifest(batchId)), keys, commits, tokens };
}
