import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { patternProblem } from '../../src/checks/safe-pattern.ts';

describe('patternProblem()', () => {
  it.each([
    ['EMP-\\d{4,8}'],
    ['\\w{1,64}@\\w{1,64}'],
    ['foo.{0,200}bar'],
    ['(?:confidential|internal use only)'],
    ['\\p{Lu}{2,5}-[^\\]]{3}'],
    ['colou?r'],
    ['a{3}[*+]\\+'],
    ['[{}]x{2}'],
  ])('lets %s pass', (pattern) => {
    expect(patternProblem(pattern, 'iu')).toBeUndefined();
  });

  it.each([
    ['a+', 'repeats without end: give a bound, such as {1,64}'],
    ['a*b', 'repeats without end: give a bound, such as {0,64}'],
    ['a{2,}', 'repeats without end: give a bound, such as {2,64}'],
    ['(?:a{1,9}){1,9}', 'ways at one place'],
    ['(?:a|a){40}', 'more than a billion'],
    ['a{0,64}a{0,64}a{0,64}', 'ways at one place'],
    ['a{1,5000}', 'repeats up to 5000 times'],
    ['(?=a)b', 'look-around'],
    ['(?<name>a)', 'named group'],
    ['(a)\\1', 'back-reference'],
    ['[a', 'not a regular expression'],
    ['x{0,3}', 'matches an empty text'],
    ['a|', 'matches an empty text'],
  ])('refuses %s', (pattern, problem) => {
    expect(patternProblem(pattern, 'i')).toContain(problem);
  });

  it('refuses flags that change where a pattern matches', () => {
    for (const flags of ['g', 'y', 's', 'm', 'v']) expect(patternProblem('a', flags)).toContain('only i and u');
  });

  it('lets no pattern pass that takes long on any text', () => {
    const atom = fc.constantFrom('a', 'b', '.', '\\w', '[ab]', '(?:a|b)', '(?:a|ab)', '(?:a?b?)');
    const quantifier = fc.constantFrom('', '', '?', '{2}', '{0,9}', '{1,64}', '{0,200}', '{0,9}?');
    const pattern = fc
      .array(fc.tuple(atom, quantifier), { minLength: 1, maxLength: 6 })
      .map((parts) => parts.map((part) => part.join('')).join(''));
    const text = `${'ab'.repeat(100)}${'a'.repeat(200)}`;
    let allowed = 0;
    fc.assert(
      fc.property(fc.tuple(pattern, fc.constantFrom('', '{1,9}', '{3}')), ([inner, outer]) => {
        const source = `(?:${inner})${outer}c`;
        if (patternProblem(source, '') !== undefined) return;
        allowed += 1;
        const startedAt = process.cpuUsage();
        new RegExp(source).test(text);
        // 5,000 ways of some hundred steps at 400 places; a pattern that is not bounded would take years.
        expect(process.cpuUsage(startedAt).user, source).toBeLessThan(5_000_000);
      }),
      { numRuns: 300 },
    );
    expect(allowed).toBeGreaterThan(20);
  });
});
