import { describe, expect, it } from 'vitest';
import { compareKeys } from '../../src/store/object-key.ts';

describe('compareKeys()', () => {
  it('orders keys by the bytes of their UTF-8', () => {
    // One, two, three and four bytes; of the last two, UTF-16 has the other order.
    const characters = ['!', '-', '/', 'a', 'é', '日', '\uffee', '😀', '𝒳'];
    const keys = characters.flatMap((first) => ['', ...characters].map((second) => first + second));
    const byBytes = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(keys.toReversed().sort(compareKeys)).toEqual(byBytes);
    expect(compareKeys('a/b', 'a/b')).toBe(0);
  });
});
