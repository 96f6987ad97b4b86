import { expect, test } from 'vitest';
import { humanLine } from '../../src/cli/human-log.ts';
import { Screen } from '../../src/cli/screen.ts';

function terminal(isTTY = true) {
  const written: string[] = [];
  return { written, stream: { isTTY, columns: 40, write: (text: string) => written.push(text) } };
}

test('a line goes above the bar, which stays', () => {
  const { written, stream } = terminal();
  const screen = new Screen(stream);
  screen.bar('half done');
  screen.line('a remark');
  expect(written.at(-1)).toBe('\r\u001b[2Ka remark\nhalf done');
  screen.end();
  screen.line('after it');
  expect(written.slice(-2)).toEqual(['\n', 'after it\n']);
});

test('a bar never wraps', () => {
  const { written, stream } = terminal();
  new Screen(stream).bar('x'.repeat(100));
  expect(written).toEqual([`\r\u001b[2K${'x'.repeat(39)}`]);
});

test('without a bar, lines are plain', () => {
  const { written, stream } = terminal(false);
  const screen = new Screen(stream);
  screen.line('one');
  screen.end();
  expect(screen.isTerminal).toBe(false);
  expect(written).toEqual(['one\n']);
});

test('a line of the log reads as a sentence, with what belongs to it', () => {
  const line = {
    level: 'warn',
    time: '2026-11-29T06:28:43.120Z',
    workflow: 'triage',
    cause: 'budget',
    reason: 'The limit $0.06 is reached.',
    msg: 'breaker:open',
  };
  expect(humanLine(`${JSON.stringify(line)}\n`)).toBe(
    '06:28:43 WARN breaker:open  The limit $0.06 is reached. (workflow=triage cause=budget)',
  );
});

test('what came from outside neither breaks the line nor moves the cursor', () => {
  const line = {
    level: 'info',
    time: '2026-11-29T06:28:43.120Z',
    document: 'a\u001b[2Jb\nc',
    list: [1],
    msg: 'call:odd',
  };
  expect(humanLine(JSON.stringify(line))).toBe('06:28:43 call:odd  document=a[2Jb c list=[1]');
});
