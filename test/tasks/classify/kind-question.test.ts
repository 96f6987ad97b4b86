import { expect, test } from 'vitest';
import { KIND_CHARS, kindQuestion } from '../../../src/tasks/classify/kind-question.ts';
import type { AskedRoute } from '../../../src/workflows/workflow.ts';

test('kindQuestion() shows the beginning of a document without half a character', () => {
  const labels = ['short', 'long'].map((label) => ({ label, description: '' }));
  const route = { tier: {}, kinds: { labels } } as unknown as AskedRoute;
  const { prompt } = kindQuestion(route, `${'a'.repeat(KIND_CHARS - 1)}😀 tail`);
  const shown = prompt.messages.map(({ content }) => content).join('');
  expect(shown.isWellFormed()).toBe(true);
  expect(shown).not.toContain('tail');
});
