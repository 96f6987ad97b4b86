import type { TaskSetup } from '../task.ts';

export const summarizeSetup: TaskSetup = {
  lines: () => ["# In the document's language, unless language: says another.", 'summary: { maxWords: 120 }'],
};
