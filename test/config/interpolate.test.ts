import { describe, expect, it } from 'vitest';
import { describeMissing, type Environment, interpolate as interpolateWith } from '../../config/interpolate.ts';

/** `${…}`, written so that no checker takes it for a template. */
const reference = (inner: string) => `$\{${inner}}`;

const interpolate = (value: unknown, env: Environment, problems: string[]) =>
  interpolateWith(value, env, (missing) => problems.push(describeMissing(missing)));

describe('interpolate()', () => {
  it('replaces variables and defaults anywhere in a parsed file, several in one text', () => {
    const problems: string[] = [];
    const value = {
      a: [`x-${reference('ONE')}-${reference('TWO:-two')}`, { b: reference('EMPTY:-fallback') }],
      n: 5,
      none: null,
    };
    expect(interpolate(value, { ONE: '1', EMPTY: '' }, problems)).toEqual({
      a: ['x-1-two', { b: 'fallback' }],
      n: 5,
      none: null,
    });
    expect(problems).toEqual([]);
  });

  it('names every variable that is not set, with its path and the way out', () => {
    const problems: string[] = [];
    interpolate({ providers: { acme: { apiKey: reference('KEY') } }, list: [reference('OTHER')] }, {}, problems);
    expect(problems).toEqual([
      `providers.acme.apiKey: the environment has no KEY; set it, or write ${reference('KEY:-default')}`,
      `list.0: the environment has no OTHER; set it, or write ${reference('OTHER:-default')}`,
    ]);
  });

  it('does not look into what a variable holds', () => {
    const env = { A: reference('B'), B: 'secret', C: '}: [evil' };
    expect(interpolate({ a: reference('A'), c: reference('C') }, env, [])).toEqual({
      a: reference('B'),
      c: '}: [evil',
    });
  });

  it('accepts an empty default', () => {
    const problems: string[] = [];
    expect(interpolate(reference('A:-'), {}, problems)).toBe('');
    expect(problems).toEqual([]);
  });
});
