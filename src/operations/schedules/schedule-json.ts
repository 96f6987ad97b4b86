import { batchIdOfSlot } from '../../schedules/calendar.ts';
import type { SlotRecord } from '../../schedules/schedule-book.ts';
import type { ScheduleView } from './schedules.ts';

const RUNS_SHOWN = 20;

export interface SlotJson {
  readonly slot: string;
  readonly outcome: SlotRecord['outcome'];
  readonly how: SlotRecord['how'];
  readonly batch: string | null;
  readonly files: number;
  readonly duplicates: number;
  readonly quarantined: number;
  readonly why: string | null;
  readonly at: string;
}

export interface ScheduleJson {
  readonly name: string;
  readonly cron: string;
  readonly timezone: string;
  readonly input: string;
  readonly catchUp: string;
  readonly overlap: string;
  readonly after: string;
  readonly paused: { readonly since: string; readonly by: string } | null;
  /** The newest slot that is done; null: none has come yet. */
  readonly last: SlotJson | null;
  readonly next: readonly { readonly slot: string; readonly batch: string }[];
  /** Slots whose run is not done. */
  readonly due: readonly string[];
  /** Why a due slot could not be run when it was tried last. */
  readonly trouble: { readonly at: string; readonly message: string } | null;
  /** Slots without a run among the newest hundred, newest first. */
  readonly missed: readonly { readonly slot: string; readonly why: string }[];
  /** The newest twenty slots, newest first. */
  readonly runs: readonly SlotJson[];
}

/** A schedule as `--json` and the API give it. */
export function scheduleJson({ schedule, paused, due, trouble, next, records }: ScheduleView): ScheduleJson {
  const { workflow: name, ...settings } = schedule;
  const runs = records.map(slotJson);
  return {
    name,
    ...settings,
    paused: paused === undefined ? null : { since: iso(paused.at), by: paused.by },
    last: runs[0] ?? null,
    next: next.map((slot) => ({ slot: iso(slot), batch: batchIdOfSlot(schedule, slot) })),
    due: due.map(({ slot }) => iso(slot)),
    trouble: trouble === undefined ? null : { at: iso(trouble.at), message: trouble.message },
    missed: runs.flatMap(({ slot, outcome, why }) => (outcome === 'missed' ? { slot, why: why ?? '' } : [])),
    runs: runs.slice(0, RUNS_SHOWN),
  };
}

export function slotJson({ slot, outcome, how, at, batch, why, ...counts }: SlotRecord): SlotJson {
  const { files = 0, duplicates = 0, quarantined = 0 } = counts;
  return {
    slot: iso(slot),
    outcome,
    how,
    batch: batch ?? null,
    files,
    duplicates,
    quarantined,
    why: why ?? null,
    at: iso(at),
  };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
