import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../config/load.ts';

let cwd: string;

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'config-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

/** The `reasoning` of a model that is written like this, at a provider that is. */
function reasoning(
  written: string,
  provider = 'preset: openai',
  more = 'maxOutputTokens: 100000, contextTokens: 200000',
) {
  writeFileSync(
    join(cwd, 'nightmill.yaml'),
    `providers: { p: { ${provider} } }\nmodels: { m: { provider: p, id: m-2026-01-01, ${more}${written === '' ? '' : `, reasoning: ${written}`} } }\n`,
  );
  return loadConfig({ env: {}, cwd }).models.get('m')?.reasoning;
}

describe('models.X.reasoning', () => {
  it('is absent unless it is written', () => {
    expect(reasoning('')).toBeUndefined();
  });

  it.each([
    ['none', 0],
    ['minimal', 512],
    ['low', 2048],
    ['medium', 8192],
    ['high', 24_576],
    ['xhigh', 49_152],
    ['max', 65_536],
  ])('%s alone has room for %i tokens', (effort, tokens) => {
    expect(reasoning(effort)).toEqual({ ask: { effort }, tokens });
    expect(reasoning(`{ effort: ${effort} }`)).toEqual({ ask: { effort }, tokens });
    expect(reasoning(`{ effort: ${effort}, tokens: 100 }`)).toEqual({ ask: { effort }, tokens: 100 });
  });

  it.each(['preset: anthropic', 'preset: gemini', 'preset: openrouter'])('takes a budget with %s', (provider) => {
    expect(reasoning('{ budget: 1024 }', provider)).toEqual({ ask: { budget: 1024 }, tokens: 1024 });
    expect(reasoning('{ budget: 1024, tokens: "1500" }', provider)).toEqual({ ask: { budget: 1024 }, tokens: 1500 });
  });

  it('may be room alone, for a model that cannot be told', () => {
    expect(reasoning('{ tokens: 4000 }', 'preset: openai, reasoning: none')).toEqual({ tokens: 4000 });
  });

  it.each([
    ['lots', 'preset: openai', /models\.m\.reasoning: .*"none"\|"minimal"\|"low"\|"medium"\|"high"/],
    ['{ }', 'preset: openai', /models\.m\.reasoning: write an effort, a budget, or the tokens that it thinks anyway/],
    [
      '{ effort: low, budget: 2000 }',
      'preset: gemini',
      /models\.m\.reasoning: an effort and a budget .* leave one out/,
    ],
    ['low', 'preset: openai, reasoning: none', /provider p cannot be told how much to think; write \{ tokens: N \}/],
    [
      '{ budget: 2000 }',
      'preset: openai',
      /provider p takes an effort, no budget; write \{ effort: low, tokens: 2000 \}/,
    ],
    ['{ budget: 512 }', 'preset: anthropic', /the least budget of provider p is 1024, and 512 is set/],
    ['{ budget: 2000, tokens: 1999 }', 'preset: gemini', /tokens 1999 is less than the budget 2000/],
    ['{ effort: low, tokens: -1 }', 'preset: openai', /models\.m\.reasoning/],
    ['{ effort: low, room: 5 }', 'preset: openai', /models\.m\.reasoning: .*room/],
  ])('%s with %s is refused', (written, provider, message) => {
    expect(() => reasoning(written, provider)).toThrow(message);
  });

  it('leaves room for an answer, and says what to raise where it does not', () => {
    expect(() => reasoning('medium', 'preset: openai', 'maxOutputTokens: 8192')).toThrow(
      /models\.m\.reasoning: its 8192 tokens leave no room for an answer in maxOutputTokens 8192; raise models\.m\.maxOutputTokens/,
    );
    expect(reasoning('medium', 'preset: openai', 'maxOutputTokens: 8193')).toMatchObject({ tokens: 8192 });
  });
});
