import type { ObjectStore } from '../store/object-store.ts';
import { storeKeys } from '../store/store-keys.ts';
import { parseJsonExactly } from '../text/json-value.ts';
import type { DigestGroup } from './digest.ts';

/** Takes what was written of the documents out of a manifest; the figures stay. */
export async function forgetDigestTexts(store: ObjectStore, batchId: string): Promise<void> {
  const bytes = await store.get(storeKeys.manifest(batchId));
  if (bytes === undefined) return;
  const manifest = parseJsonExactly(Buffer.from(bytes).toString()) as { readonly digest?: WrittenDigest };
  if (manifest.digest === undefined) return;
  const { summary: _, groups, ...rest } = manifest.digest;
  const digest = { ...rest, groups: groups.map(({ summary: __, ...group }) => group), files: [] };
  await store.put(storeKeys.manifest(batchId), Buffer.from(`${JSON.stringify({ ...manifest, digest }, null, 2)}\n`));
}

interface WrittenDigest {
  readonly summary?: string;
  readonly groups: readonly DigestGroup[];
}
