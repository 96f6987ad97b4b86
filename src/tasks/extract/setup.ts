import type { TaskSetup } from '../task.ts';

export const extractSetup: TaskSetup = {
  lines: () => [
    '# A JSON Schema of what to read; say in each description what is meant. docs/extraction.md',
    'extract:',
    '  schema:',
    '    type: object',
    '    properties:',
    '      subject: { type: string, description: "What the document is about, in a few words" }',
    '      date: { type: [string, "null"], format: date, description: "The date that it names, if any" }',
  ],
};
