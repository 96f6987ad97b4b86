import { describe, expect, test } from 'vitest';
import { InputRatios } from '../../src/quota/token-ratios.ts';
import type { ModelRequest } from '../../src/requests/model-request.ts';

describe('InputRatios', () => {
  test('a count of more tokens than the request has bytes is a mistake and teaches no more than one token a byte', () => {
    const ratios = new InputRatios();
    const request: ModelRequest = {
      modelId: 'small',
      messages: [{ role: 'user', content: 'plain words '.repeat(100) }],
      maxOutputTokens: 10,
    };
    for (let n = 0; n < 5; n += 1) ratios.observe('small', request, 1_300, 9_007_199_254_740_991);
    expect(ratios.expected('small', 1_300)).toBe(1_300);
    expect(ratios.all.get('small')?.most).toBeLessThan(10);
  });
});
