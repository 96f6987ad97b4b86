import type { Check } from '../../doctor/check.ts';
import { DAY_MS } from '../../runtime/durations.ts';
import { isBehind, type ScheduleView } from './schedules.ts';

/** A worker looks about once a second, and a large inbox takes a while. */
const BEHIND_AFTER_MS = 2 * 60_000;

/** Lines of `doctor` on schedules that are behind, paused or have missed a slot within a day. Pure. */
export function scheduleFindings(views: readonly ScheduleView[], now: number): readonly Check[] {
  return views.map((view): Check => {
    const { schedule, paused, trouble, seenUntil, records, next } = view;
    const name = `schedule ${schedule.workflow}`;
    const warning = (detail: string): Check => ({ name, state: 'warning', detail });
    const time = (at: number) => new Date(at).toISOString();
    if (trouble !== undefined) return warning(`could not run at ${time(trouble.at)}: ${trouble.message}`);
    if (seenUntil === undefined) {
      return warning('no worker has looked at its calendar yet: start nightmill worker with this config');
    }
    if (isBehind(view, now, BEHIND_AFTER_MS)) {
      return warning(
        'its time has passed and no worker looks at its calendar: start nightmill worker with this config',
      );
    }
    if (paused !== undefined) {
      return warning(
        `paused since ${time(paused.at)} by ${paused.by}; to resume: nightmill schedule resume ${schedule.workflow}`,
      );
    }
    const missed = records.find(({ slot, outcome }) => outcome === 'missed' && slot > now - DAY_MS);
    if (missed !== undefined) {
      const cure = `to take the files now: nightmill schedule run ${schedule.workflow}`;
      return warning(`missed ${time(missed.slot)}: ${missed.why ?? 'unknown'}; ${cure}`);
    }
    const [first] = next;
    return { name, state: 'ok', detail: first === undefined ? 'has no slot to come' : `next at ${time(first)}` };
  });
}
