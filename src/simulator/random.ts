/**
 * Chance that repeats: a number fixed by the seed and the names of what it is for, so that the same request has the
 * same fate in every process.
 *
 * @returns uniform, from 0 up to but not including 1
 */
export function chance(seed: number, key: string, purpose: string): number {
  let hash = mixText(0x811c9dc5 ^ seed, key);
  hash = mixText(hash ^ 0x9e3779b9, purpose);
  // The finaliser of MurmurHash3: FNV alone leaves the high bits of short texts nearly equal.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** Standard normal, by the transformation of Box and Muller. */
export function normalChance(seed: number, key: string, purpose: string): number {
  const radius = Math.sqrt(-2 * Math.log(1 - chance(seed, key, `${purpose} radius`)));
  return radius * Math.cos(2 * Math.PI * chance(seed, key, `${purpose} angle`));
}

/** FNV-1a over UTF-16 code units. */
function mixText(start: number, text: string): number {
  let hash = start;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash;
}
