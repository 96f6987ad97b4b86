import type { TaskSetup } from '../task.ts';

export const summarizeSetup: TaskSetup = {
  passesOn: 'what fails its checks',
  lines: () => ["# In the document's language, unless language: says another.", 'summary: { maxWords: 120 }'],
};
