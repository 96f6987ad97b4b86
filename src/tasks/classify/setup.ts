import type { TaskSetup } from '../task.ts';

const EXAMPLE_LABELS: Readonly<Record<string, string>> = {
  question: 'A question: how, where, when, which, what does it cost',
  problem: 'Something is broken or wrong: an error, a failure, a crash, a wrong invoice',
  request: 'Please do, send, change or cancel something',
  feedback: 'Praise or an opinion: great, love, like, disappointed',
};
const CATCH_ALL = 'other';

export const classifySetup: TaskSetup = {
  startsLocally: true,
  hasLabels: true,
  lines: ({ names, column }) => {
    const meanings = names === undefined ? EXAMPLE_LABELS : Object.fromEntries(names.map((name) => [name, '']));
    const labels = names ?? Object.keys(EXAMPLE_LABELS);
    const all = labels.some((name) => name.toLowerCase() === CATCH_ALL) ? labels : [...labels, CATCH_ALL];
    return [
      `# ${originOf(names, column)}A line that says what each one means helps much.`,
      'labels:',
      // A double-quoted JSON string is a YAML string.
      ...all.map(
        (name) =>
          `  ${JSON.stringify(name)}: ${JSON.stringify(name === CATCH_ALL ? 'Anything else' : (meanings[name] ?? ''))}`,
      ),
    ];
  },
};

function originOf(names: readonly string[] | undefined, column: string | undefined): string {
  if (column !== undefined) return `The values of the column ${JSON.stringify(column)} in the first texts. `;
  return names === undefined ? 'Examples: put yours here. ' : '';
}
