import type { BigIntStats } from 'node:fs';
import type { ObjectInfo } from '../../store/object-store.ts';

/** Every put makes a new file, so inode, size and time of last change together tell one content from the next. */
export function describeFile(key: string, stats: BigIntStats): ObjectInfo {
  const etag = `${stats.ino.toString(36)}-${stats.size.toString(36)}-${stats.mtimeNs.toString(36)}`;
  return { key, bytes: Number(stats.size), etag };
}
