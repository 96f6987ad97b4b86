import { describe, expect, it } from 'vitest';
import { objectsIn } from '../../src/tasks/json-spans.ts';

describe('objectsIn()', () => {
  it('finds objects beside each other, and none that is inside another', () => {
    expect(objectsIn('First {"a": {"b": 1}}, then {"c": "}"}.')).toEqual(['{"a": {"b": 1}}', '{"c": "}"}']);
  });

  it('tries what stands in braces that are prose, closed or not', () => {
    expect(objectsIn('{see {"a": 1} and {"b": "}"}}')).toEqual([
      '{see {"a": 1} and {"b": "}"}}',
      '{"a": 1}',
      '{"b": "}"}',
    ]);
    expect(objectsIn('{ see {"a": 1} and {"b": {"c": 2}}')).toEqual(['{"a": 1}', '{"b": {"c": 2}}']);
  });

  it('finds an object in a text that a quote before it makes a string', () => {
    expect(objectsIn('{ 5" {"a": 1}')).toEqual(['{"a": 1}']);
  });

  it('looks at a hundred braces that begin no object', () => {
    expect(objectsIn(`${'{ '.repeat(100)}{"a": 1}`)).toEqual(['{"a": 1}']);
    expect(objectsIn(`${'{ '.repeat(101)}{"a": 1}`)).toEqual([]);
  });
});
