import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalEncoding, decodeText } from '../../src/text/decode-text.ts';
import { findInvalidUtf8 } from '../../src/text/find-invalid-utf8.ts';
import { anyCharacter } from '../helpers/any-character.ts';

describe('findInvalidUtf8()', () => {
  test('finds nothing in any text, and the first bad byte in what is none', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter }), (text) => {
        expect(findInvalidUtf8(Buffer.from(text))).toBeUndefined();
      }),
    );
    for (const [bytes, at] of [
      [[0x61, 0xe4, 0x62], 1],
      [[0xc0, 0x80], 0],
      [[0xed, 0xa0, 0x80], 0],
      [[0x61, 0x62, 0xe2, 0x82], 2],
      [[0xf4, 0x90, 0x80, 0x80], 0],
    ] as const) {
      expect(findInvalidUtf8(Uint8Array.from(bytes))).toBe(at);
    }
  });

  test('agrees with the platform on every sequence of bytes', () => {
    const byte = fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom(0xe0, 0xed, 0xf0, 0xf4, 0x80, 0x9f, 0xa0, 0x90, 0x8f, 0xbf),
    );
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 8 }), (values) => {
        const bytes = Uint8Array.from(values);
        const at = findInvalidUtf8(bytes);
        expect(at === undefined).toBe(isUtf8(bytes));
        if (at !== undefined) expect(isUtf8(bytes.subarray(0, at))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('decodeText()', () => {
  test('believes a byte order mark more than a name, and drops it', () => {
    const utf16 = Buffer.from('\ufeffgrün', 'utf16le');
    expect(decodeText(utf16)).toEqual({ text: 'grün' });
    expect(decodeText(utf16, 'windows-1252')).toEqual({ text: 'grün' });
    expect(decodeText(Buffer.from('\ufeffgrün'), 'windows-1252')).toEqual({ text: 'grün' });
  });

  test('decodes what it is told to, and says where UTF-8 ends', () => {
    const latin = Buffer.from('grün', 'latin1');
    expect(decodeText(latin, 'windows-1252')).toEqual({ text: 'grün' });
    expect(decodeText(latin)).toEqual({ fault: expect.stringMatching(/byte 3 of it is 0xfc.*--encoding/) });
    expect(decodeText(Buffer.from([0x80]), 'shift_jis')).toMatchObject({});
    expect(decodeText(Buffer.from([0x61, 0xff]), 'gb18030')).toEqual({ fault: expect.stringContaining('gb18030') });
  });

  test('canonicalEncoding() knows aliases and nothing that does not exist', () => {
    expect(canonicalEncoding('latin1')).toBe('windows-1252');
    expect(canonicalEncoding('klingon')).toBeUndefined();
  });
});
