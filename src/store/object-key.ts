const MAX_KEY_BYTES = 900;
const MAX_SEGMENT_BYTES = 255;

/** First segment of the folder where the file store keeps what it is still writing; no key may start with it. */
export const TEMPORARY_FOLDER = '.nightmill-tmp';

/**
 * A key that this program may write: slash-separated segments, none of them empty, `.` or `..`, each at most 255
 * bytes (the limit of file systems), together at most 900 bytes (S3 allows 1,024, the store's prefix included).
 *
 * @throws {RangeError} with the key and the rule it breaks
 */
export function assertObjectKey(key: string): void {
  assertKeyStaysInside(key);
  const segments = key.split('/');
  if (segments.includes('')) throw invalidKey(key, 'it has an empty segment');
  if (segments[0] === TEMPORARY_FOLDER) throw invalidKey(key, `${TEMPORARY_FOLDER} is reserved`);
  if (!key.isWellFormed()) throw invalidKey(key, 'it is not valid Unicode');
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) throw invalidKey(key, `it is longer than ${MAX_KEY_BYTES} bytes`);
  if (segments.some((segment) => Buffer.byteLength(segment) > MAX_SEGMENT_BYTES)) {
    throw invalidKey(key, `a segment is longer than ${MAX_SEGMENT_BYTES} bytes`);
  }
}

/**
 * The least that a key must keep to, also one that another program wrote and that is only read, listed or removed:
 * it has no `.` or `..` segment (servers and file systems may resolve these), does not start with `/` and holds no NUL.
 *
 * @throws {RangeError} with the key and the rule it breaks
 */
export function assertKeyStaysInside(key: string): void {
  const fault = findKeyFault(key);
  if (fault !== undefined) throw invalidKey(key, fault);
}

/** The rule of {@link assertKeyStaysInside} that a key breaks, as a clause. */
export function findKeyFault(key: string): string | undefined {
  if (key === '') return 'it is empty';
  if (key.startsWith('/')) return 'it is absolute';
  if (key.includes('\0')) return 'it holds a NUL character';
  if (key.split('/').some((segment) => segment === '.' || segment === '..')) return 'it has a "." or ".." segment';
  return undefined;
}

/** Order of keys by their UTF-8 bytes, as S3 lists them. Differs from `<` on strings for characters past U+FFFF. */
export function compareKeys(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let index = 0; index < shared; index++) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) return utf8Rank(left) - utf8Rank(right);
  }
  return a.length - b.length;
}

/** Orders UTF-16 units as the UTF-8 of their characters: surrogates stand for characters behind all others. */
function utf8Rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

function invalidKey(key: string, reason: string): RangeError {
  const shown = key.length > 120 ? `${key.slice(0, 120)}…` : key;
  return new RangeError(`Cannot use ${JSON.stringify(shown)} as an object key: ${reason}`);
}
