import type { TaskSetup } from '../task.ts';

const EXAMPLE_LABELS = ['question', 'problem', 'request', 'feedback'];
const CATCH_ALL = 'other';

export const classifySetup: TaskSetup = {
  startsLocally: true,
  hasLabels: true,
  lines: ({ names, column }) => {
    const labels = names ?? EXAMPLE_LABELS;
    const all = labels.some((name) => name.toLowerCase() === CATCH_ALL) ? labels : [...labels, CATCH_ALL];
    return [
      `# ${originOf(names, column)}A line that says what each one means helps much.`,
      'labels:',
      // A double-quoted JSON string is a YAML string.
      ...all.map((name) => `  ${JSON.stringify(name)}: ${JSON.stringify(name === CATCH_ALL ? 'Anything else' : '')}`),
    ];
  },
};

function originOf(names: readonly string[] | undefined, column: string | undefined): string {
  if (column !== undefined) return `The values of the column ${JSON.stringify(column)} in the first texts. `;
  return names === undefined ? 'Examples: put yours here. ' : '';
}
