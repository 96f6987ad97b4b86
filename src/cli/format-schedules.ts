import type { ScheduleJson, SlotJson } from '../operations/schedules/schedule-json.ts';
import { table } from './table.ts';

/** Missed slots that are named one by one. */
const MISSED_SHOWN = 3;

/** A table for people, and below it what needs a word. */
export function schedulesText(schedules: readonly ScheduleJson[]): string {
  if (schedules.length === 0) {
    return 'No workflow has a schedule. One gets it in the config: schedule: { cron: "0 1 * * *", input: inbox/ }\n';
  }
  const rows = schedules.map((each) => [
    each.name,
    each.cron,
    each.timezone,
    each.last === null ? '-' : `${localTime(each.last.slot, each.timezone)} ${slotText(each.last)}`,
    each.paused !== null ? 'paused' : each.next[0] === undefined ? '-' : localTime(each.next[0].slot, each.timezone),
    String(each.missed.length),
  ]);
  const notes = schedules.flatMap(notesOf);
  const overview = table([['SCHEDULE', 'CRON', 'ZONE', 'LAST', 'NEXT', 'MISSED'], ...rows]);
  return `${[...overview, ...(notes.length === 0 ? [] : ['', ...notes])].join('\n')}\n`;
}

/** What became of a slot, in a few words. */
export function slotText({ outcome, batch, files, duplicates, quarantined, why }: SlotJson): string {
  const also = [
    ...(duplicates > 0 ? [`${duplicates} known before`] : []),
    ...(quarantined > 0 ? [`${quarantined} to quarantine/`] : []),
  ];
  const rest = also.length === 0 ? '' : ` (${also.join(', ')})`;
  if (outcome === 'missed') return `missed: ${why ?? 'unknown'}`;
  return outcome === 'empty' ? `nothing new${rest}` : `${batch}, ${files} file${files === 1 ? '' : 's'}${rest}`;
}

/** The next slots of all schedules, the earliest first. */
export function nextText(schedules: readonly ScheduleJson[], count: number): string {
  const slots = schedules.flatMap(({ name, timezone, paused, next }) =>
    next.map(({ slot, batch }) => ({
      slot,
      row: [localTime(slot, timezone), timezone, name, batch, paused === null ? '' : 'paused'],
    })),
  );
  slots.sort((a, b) => a.slot.localeCompare(b.slot));
  const rows = slots.slice(0, count).map(({ row }) => row);
  return `${table([['TIME', 'ZONE', 'SCHEDULE', 'BATCH', ''], ...rows]).join('\n')}\n`;
}

function notesOf({ name, timezone, paused, due, trouble, missed }: ScheduleJson): readonly string[] {
  const lines: string[] = [];
  if (paused !== null) {
    lines.push(
      `${name} is paused since ${localTime(paused.since, timezone)} by ${paused.by}: nightmill schedule resume ${name}`,
    );
  }
  if (due.length > 0) {
    const why =
      trouble === null
        ? 'a worker with this schedule runs them next'
        : `tried at ${localTime(trouble.at, timezone)}: ${trouble.message}`;
    lines.push(`${name} has ${due.length} slot${due.length === 1 ? '' : 's'} to run; ${why}`);
  }
  for (const { slot, why } of missed.slice(0, MISSED_SHOWN)) {
    lines.push(`${name} missed ${localTime(slot, timezone)}: ${why}`);
  }
  if (missed.length > MISSED_SHOWN)
    lines.push(`${name} missed ${missed.length - MISSED_SHOWN} more: --json names them`);
  return lines;
}

/** `2027-01-31 01:00` by the wall clock of the zone. */
function localTime(iso: string, timezone: string): string {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short', timeStyle: 'short' });
  return format.format(new Date(iso));
}
