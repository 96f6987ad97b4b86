import { Cron } from 'croner';
import type { Schedule } from './schedule.ts';

/** A slot is a moment that a schedule names, milliseconds since the epoch, always a whole minute. */
export type Slot = number;

type Times = Pick<Schedule, 'cron' | 'timezone'>;

/** Why a pattern cannot be used, as a clause; undefined: it can. */
export function findCronProblem(cron: string): string | undefined {
  try {
    if (open({ cron, timezone: 'UTC' }).nextRun() !== null) return undefined;
    return 'no day is ever like that';
  } catch (error) {
    return (error as Error).message.replace(/^CronPattern: /, '');
  }
}

/** Slots later than `after`, up to and with `until`; at most `most`, the earliest. */
export function slotsBetween(times: Times, after: number, until: number, most: number): readonly Slot[] {
  const cron = open(times);
  const slots: Slot[] = [];
  for (let slot = nextOf(cron, after); slot !== undefined && slot <= until; slot = nextOf(cron, slot)) {
    slots.push(slot);
    if (slots.length === most) break;
  }
  return slots;
}

/** The next `count` slots later than `after`. */
export function nextSlots(times: Times, after: number, count: number): readonly Slot[] {
  return slotsBetween(times, after, Number.POSITIVE_INFINITY, count);
}

/**
 * `WORKFLOW-YYYYMMDDTHHMM`, by the wall clock of the zone. In the hour that comes twice when clocks are set back, the
 * second pass ends in `-2`, so that no two slots share an id.
 */
export function batchIdOfSlot({ workflow, timezone }: Schedule, slot: Slot): string {
  const time = wallClock(timezone, slot);
  const hours = 3 * 60 * 60 * 1000;
  const halfHour = 30 * 60 * 1000;
  let isSecond = false;
  // Clocks are set back by half an hour to some hours, in steps of half an hour.
  for (let back = halfHour; back <= hours; back += halfHour) isSecond ||= wallClock(timezone, slot - back) === time;
  return `${workflow}-${time}${isSecond ? '-2' : ''}`;
}

function wallClock(timezone: string, slot: Slot): string {
  const zoned = formatterOf(timezone).formatToParts(slot);
  const part = (type: string) => zoned.find((each) => each.type === type)?.value ?? '';
  return `${part('year')}${part('month')}${part('day')}T${part('hour')}${part('minute')}`;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterOf(timezone: string): Intl.DateTimeFormat {
  const known = formatters.get(timezone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-CA-u-hc-h23', {
    timeZone: timezone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
  formatters.set(timezone, made);
  return made;
}

function open({ cron, timezone }: Times): Cron {
  // Ids are told apart by minutes, so a pattern with seconds is refused.
  return new Cron(cron, { timezone, paused: true, mode: '5-part' });
}

function nextOf(cron: Cron, after: number): Slot | undefined {
  return cron.nextRun(new Date(after))?.getTime();
}
