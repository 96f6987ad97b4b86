import { describe, expect, it } from 'vitest';
import { REDACTION_RULES } from '../../src/redaction/redaction-policy.ts';
import { Redactor } from '../../src/redaction/redactor.ts';
import { runInSteps } from '../../src/runtime/run-in-steps.ts';
import { chunkText, chunkTextInSteps } from '../../src/text/chunk-text.ts';
import { countTokens, countTokensInSteps } from '../../src/text/tokens.ts';
import { cpuMs } from '../helpers/cpu-time.ts';

describe('runInSteps()', () => {
  it('gives the others their turn while a text is counted and cut, and the same outcome', async () => {
    countTokens('The first count loads the vocabulary.');
    const text = 'The mill stands on the hill, and its stones turn at night. '.repeat(50_000);
    let turns = 0;
    let working = true;
    const others = (async () => {
      while (working) {
        await new Promise((resolve) => setImmediate(resolve));
        turns += 1;
      }
    })();
    const options = { maxTokens: 8000, overlapTokens: 100 };
    const tokens = await runInSteps(countTokensInSteps(text));
    const chunks = await runInSteps(chunkTextInSteps(text, { ...options, textTokens: tokens }));
    working = false;
    await others;
    // 3 MB take more than 200 ms on any machine, and a turn takes 20.
    expect(turns).toBeGreaterThan(5);
    expect(tokens).toBe(countTokens(text));
    expect(chunks).toEqual(chunkText(text, options));
  });

  it.each([
    ['one line', 'word and more '],
    ['spaces', ' '],
    ['empty lines', '\n'],
    ['Chinese', '中文没有空格'],
    ['accents', '\u0301'],
    ['list items', '- a\n'],
  ])('has no long step on %s', (_, unit) => {
    countTokens('The first count loads the vocabulary.');
    const text = unit.repeat(300_000 / unit.length);
    const redaction = Redactor.inSteps(text, { rules: REDACTION_RULES, patterns: [] });
    for (const steps of [countTokensInSteps(text), chunkTextInSteps(text, { maxTokens: 100_000 }), redaction]) {
      let longest = 0;
      let count = 0;
      for (let done = false; !done; count += 1) {
        const ms = cpuMs(() => {
          done = steps.next().done === true;
        });
        longest = Math.max(longest, ms);
      }
      expect(count).toBeGreaterThan(6);
      expect(longest).toBeLessThan(400);
    }
  });

  it('passes on what the work throws', async () => {
    await expect(runInSteps(chunkTextInSteps('text', { maxTokens: 1 }))).rejects.toThrow('at least 16');
  });
});
