/** A line of iCalendar: `NAME;PARAMETER=VALUE:value`. */
interface CalendarLine {
  readonly name: string;
  readonly parameters: string;
  readonly value: string;
}

const METHODS: ReadonlyMap<string, string> = new Map([
  ['CANCEL', 'Cancelled: '],
  ['REPLY', 'Reply to: '],
  ['COUNTER', 'Other proposal for: '],
  ['DECLINECOUNTER', 'Proposal declined for: '],
]);

/** Events, tasks and notes of an iCalendar object (RFC 5545) as lines of text; empty where it has none. */
export function calendarToText(source: string): string {
  const entries: string[] = [];
  let method = '';
  let entry: CalendarLine[] | undefined;
  let inner = 0;
  for (const line of linesOf(source)) {
    const kind = line.value.toUpperCase();
    if (line.name === 'METHOD') method = kind;
    else if (line.name === 'BEGIN' && ['VEVENT', 'VTODO', 'VJOURNAL'].includes(kind)) {
      entry = [];
      inner = 0;
    } else if (line.name === 'BEGIN') inner += 1;
    else if (line.name === 'END' && ['VEVENT', 'VTODO', 'VJOURNAL'].includes(kind)) {
      if (entry !== undefined) entries.push(describe(entry, method));
      entry = undefined;
      inner = 0;
    } else if (line.name === 'END') inner -= 1;
    // An alarm has a description of its own.
    else if (inner <= 0 || entry === undefined) entry?.push(line);
  }
  return entries.filter((text) => text !== '').join('\n\n');
}

function linesOf(source: string): readonly CalendarLine[] {
  const unfolded = source.replace(/\r\n?/g, '\n').replace(/\n[ \t]/g, '');
  return unfolded.split('\n').flatMap((line) => {
    const [, name, parameters = '', value = ''] = /^([\w-]+)((?:;[^:"]*(?:"[^"]*"[^:"]*)*)?):(.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [{ name: name.toUpperCase(), parameters, value: value.trim() }];
  });
}

function describe(lines: readonly CalendarLine[], method: string): string {
  const find = (name: string) => lines.find((line) => line.name === name);
  const text = (name: string) => withoutEscapes(find(name)?.value ?? '');
  const [start, end] = [timeOf(find('DTSTART')), timeOf(find('DTEND') ?? find('DUE'))];
  const cancelled = text('STATUS').toUpperCase() === 'CANCELLED' ? METHODS.get('CANCEL') : undefined;
  const rows: readonly (readonly [label: string, value: string])[] = [
    [METHODS.get(method) ?? cancelled ?? '', text('SUMMARY')],
    ['When: ', [start, end].filter((time) => time !== '').join(' to ')],
    ['For: ', text('DURATION')],
    ['Repeats: ', text('RRULE')],
    ['Where: ', text('LOCATION')],
    ['Organizer: ', personOf(find('ORGANIZER'))],
    ['', text('DESCRIPTION')],
    ['', text('COMMENT')],
  ];
  return rows
    .filter(([, value]) => value !== '')
    .map(([label, value]) => `${label}${value}`)
    .join('\n');
}

/** `20260305T090000Z` as `2026-03-05 09:00 UTC`; a local time with its zone. */
function timeOf(line: CalendarLine | undefined): string {
  if (line === undefined) return '';
  const [, year, month, day, hour, minute, zulu] =
    /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)\d\d(Z)?)?$/.exec(line.value) ?? [];
  if (year === undefined) return line.value;
  const zone =
    zulu === undefined ? (/;TZID=("[^"]*"|[^;]*)/i.exec(line.parameters)?.[1]?.replaceAll('"', '') ?? '') : 'UTC';
  return `${year}-${month}-${day}${hour === undefined ? '' : ` ${hour}:${minute}`}${zone === '' ? '' : ` ${zone}`}`;
}

function personOf(line: CalendarLine | undefined): string {
  if (line === undefined) return '';
  const name = /;CN=("[^"]*"|[^;]*)/i.exec(line.parameters)?.[1]?.replaceAll('"', '') ?? '';
  const address = line.value.replace(/^mailto:/i, '');
  return name === '' ? address : `${name} <${address}>`;
}

function withoutEscapes(value: string): string {
  return value
    .replace(/\\([nN\\;,])/g, (_, escaped: string) => (escaped.toLowerCase() === 'n' ? '\n' : escaped))
    .trim();
}
