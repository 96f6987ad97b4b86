import type { TaskSetup } from '../task.ts';

export const chatSetup: TaskSetup = {
  passesOn: 'what its provider could not answer',
  lines: () => [
    '# Each document is a whole request and sent as it is (docs/chat.md). Of a reply whose request names no limit:',
    'chat: { maxTokens: 500 }',
  ],
};
