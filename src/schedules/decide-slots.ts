import type { Slot } from './calendar.ts';
import type { Schedule } from './schedule.ts';

/** What becomes of a slot whose time has come. */
export type SlotFate =
  | { readonly slot: Slot; readonly fate: 'due' }
  | { readonly slot: Slot; readonly fate: 'missed'; readonly why: string };

/** A slot that is looked at within this time has its run as if it were on time: a restart of all workers fits in. */
export const LATE_AFTER_MS = 5 * 60_000;

export interface SlotsPassed {
  /** Every slot since the last look, oldest first. */
  readonly slots: readonly Slot[];
  /** More slots have passed than these. */
  readonly isCutOff: boolean;
  readonly now: number;
  readonly catchUp: Schedule['catchUp'];
  readonly isPaused: boolean;
}

/** Decides for every slot that has passed; none is left out without a reason. */
export function decideSlots({ slots, isCutOff, now, catchUp, isPaused }: SlotsPassed): readonly SlotFate[] {
  return slots.map((slot, index): SlotFate => {
    if (isPaused) return { slot, fate: 'missed', why: 'the schedule was paused' };
    const isLatest = !isCutOff && index === slots.length - 1;
    const isOnTime = now - slot <= LATE_AFTER_MS;
    if (catchUp === 'all' || (catchUp === 'latest' && isLatest) || isOnTime) return { slot, fate: 'due' };
    const why =
      catchUp === 'latest' ? 'a later slot stands for it (catchUp: latest)' : 'it was too late (catchUp: skip)';
    return { slot, fate: 'missed', why: `no worker was there at its time; ${why}` };
  });
}
