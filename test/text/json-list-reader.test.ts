import { describe, expect, it } from 'vitest';
import { JsonListFault, JsonListReader } from '../../src/text/json-list-reader.ts';

interface Read {
  readonly items: readonly string[];
  readonly wasSeen: boolean;
  readonly isOver: boolean;
}

/** What is read from a text that comes in chunks of so many bytes. */
function read(text: string, chunkBytes: number, maxItemBytes = 1_000): Read | string {
  const reader = new JsonListReader('requests', maxItemBytes);
  const bytes = Buffer.from(text);
  const items: string[] = [];
  try {
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      for (const item of reader.push(bytes.subarray(at, at + chunkBytes))) items.push(item.toString().trim());
    }
  } catch (error) {
    if (error instanceof JsonListFault) return error.reason;
    throw error;
  }
  return { items, wasSeen: reader.wasSeen, isOver: reader.isOver };
}

/** However the bytes are cut. */
function readAnyhow(text: string): Read | string {
  const [first, ...others] = [1, 2, 3, 7, 10_000].map((size) => read(text, size));
  for (const other of others) expect(other).toEqual(first);
  return first as Read | string;
}

const WHOLE = { wasSeen: true, isOver: true };

describe('the reader of a list in a JSON object', () => {
  it('cuts its elements, whatever stands in their texts and beside the list', () => {
    const items = [{ a: ']},{' }, { a: 'quote " and back \\', b: [1, { c: [] }] }, 'ö,]', 7, null, []];
    const text = ` {"before": {"requests": [1]}, "b": "[", "requests" : ${JSON.stringify(items, null, 2)}, "after":[[]] }\n`;
    const found = readAnyhow(text);
    expect(found).toMatchObject(WHOLE);
    expect((found as Read).items.map((item) => JSON.parse(item))).toEqual(items);
  });

  it('tells an empty list from none, and an object that ended from one that was cut off', () => {
    expect(readAnyhow('{"requests":[ ]}')).toEqual({ items: [], ...WHOLE });
    expect(readAnyhow('{}')).toEqual({ items: [], wasSeen: false, isOver: true });
    expect(readAnyhow('{"requests":{"a":[1]}}')).toEqual({ items: [], wasSeen: false, isOver: true });
    expect(readAnyhow('{"requests":[1,2')).toEqual({ items: ['1'], wasSeen: true, isOver: false });
    expect(readAnyhow('')).toEqual({ items: [], wasSeen: false, isOver: false });
  });

  it('refuses what is no JSON object', () => {
    const bad = [
      '[1]',
      '"requests"',
      'x',
      '{"requests":[1]} {',
      '{"requests":[1]}]',
      '{"requests":[1],}',
      '{"requests"[1]}',
    ];
    for (const text of [...bad, '{"requests":[1] "a":2}', '{"requests":[1}', '{"a":b}', '{,}']) {
      expect(readAnyhow(text), text).toBe('malformed');
    }
    expect(readAnyhow('{"requests":[1,,2,]}')).toEqual({ items: ['1', '', '2', ''], ...WHOLE });
  });

  it('holds no element over its size, and none for long', () => {
    expect(read(`{"requests":["${'a'.repeat(98)}"]}`, 10, 100)).toMatchObject({ items: [expect.any(String)] });
    expect(read(`{"requests":["${'a'.repeat(99)}"]}`, 10, 100)).toBe('too_large');
    expect(read(`{"${'a'.repeat(70_000)}":1}`, 1_000)).toBe('too_large');
    const many = `{"requests":[${Array.from({ length: 50 }, () => `"${'a'.repeat(90)}"`).join(',')}]}`;
    expect((read(many, 64, 100) as Read).items).toHaveLength(50);
  });
});
