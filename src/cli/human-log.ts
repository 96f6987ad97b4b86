/** Fields that say in a sentence what happened, the first that is there. */
const SENTENCES = ['message', 'reason'] as const;

/**
 * A line of the log as one line for people: `06:28:43 WARN breaker:open  The limit … is reached. (workflow=triage)`.
 *
 * @param line as pino has written it: one JSON object
 */
export function humanLine(line: string): string {
  const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const sentence = SENTENCES.find((name) => typeof fields[name] === 'string');
  const rest = Object.entries(fields)
    .filter(([name, value]) => name !== sentence && value !== undefined && value !== null)
    .map(([name, value]) => `${name}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
    .join(' ');
  const text = sentence === undefined ? rest : `${fields[sentence]}${rest === '' ? '' : ` (${rest})`}`;
  const mark = level === 'info' ? '' : `${String(level).toUpperCase()} `;
  return `${String(time).slice(11, 19)} ${mark}${oneLine(String(msg))}  ${oneLine(text)}`.trimEnd();
}

/** What a provider or a file name says must neither break the line nor move the cursor. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/\p{Cc}/gu, '');
}
