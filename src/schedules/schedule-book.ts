import type { Slot } from './calendar.ts';
import type { SlotFate } from './decide-slots.ts';
import type { ChosenFile, InboxFile } from './inbox.ts';

export interface ScheduleState {
  /** Every slot up to this moment has been decided on. Absent: nobody has looked yet. */
  readonly seenUntil?: number;
  readonly paused?: { readonly at: number; readonly by: string };
  /** Why a due slot could not be run; it is tried again. */
  readonly trouble?: { readonly at: number; readonly message: string };
  /** Slots whose run is not done, oldest first. */
  readonly due: readonly DueSlot[];
}

export interface DueSlot {
  readonly slot: Slot;
  /** By the clock, or by a person. */
  readonly how: 'calendar' | 'command';
}

/** What became of a slot; kept for the last thousand of a schedule. */
export interface SlotRecord extends DueSlot {
  readonly outcome: 'submitted' | 'empty' | 'missed';
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Its batch, where there is one. */
  readonly batch?: string;
  /** Files in the batch. */
  readonly files?: number;
  readonly duplicates?: number;
  readonly quarantined?: number;
  /** Why it was missed. */
  readonly why?: string;
}

export type ChooseResult =
  | { readonly kind: 'chosen'; readonly files: readonly ChosenFile[] }
  /** The slot has been finished by another worker. */
  | { readonly kind: 'gone' }
  /** One of the files belongs to another slot by now: look again. */
  | { readonly kind: 'conflict' };

/**
 * What the cluster knows of its schedules: which slots are decided, which run, which file belongs to which slot. Each
 * step happens once, whichever worker does it and however often.
 */
export interface ScheduleBook {
  read(schedule: string): Promise<ScheduleState>;
  /** Newest first. */
  records(schedule: string, limit: number): Promise<readonly SlotRecord[]>;
  /** Notes what was decided on the slots from `from` to `until`; false where someone else has looked in the meantime. */
  advance(
    schedule: string,
    from: number | undefined,
    until: number,
    fates: readonly SlotFate[],
    at: number,
  ): Promise<boolean>;
  /** Makes a slot due by command; the record of a slot that has run already. */
  addDue(schedule: string, slot: Slot): Promise<SlotRecord | undefined>;
  /** One worker at a time runs a schedule's slots. */
  lock(schedule: string, owner: string, milliseconds: number): Promise<boolean>;
  unlock(schedule: string, owner: string): Promise<void>;
  /** Which of these were taken before, in their order. */
  known(schedule: string, files: readonly InboxFile[]): Promise<readonly boolean[]>;
  /** The name under which this content was taken. */
  nameOfContent(schedule: string, sha256: string): Promise<string | undefined>;
  /** What a slot has taken. */
  chosen(schedule: string, slot: Slot): Promise<readonly ChosenFile[] | undefined>;
  /** Takes these files for the slot, all of them or none; what the slot had taken before stands. */
  choose(schedule: string, slot: Slot, files: readonly ChosenFile[]): Promise<ChooseResult>;
  /** Notes what a slot took before the server lost its memory; no run comes of it. */
  remember(schedule: string, slot: Slot, files: readonly ChosenFile[]): Promise<void>;
  /** Gives back what a slot has taken, before anything came of it. */
  release(schedule: string, slot: Slot): Promise<void>;
  /** Ends a due slot; false where it was ended before. */
  finish(schedule: string, record: SlotRecord): Promise<boolean>;
  /** False where it was so already. */
  pause(schedule: string, at: number, by: string): Promise<boolean>;
  resume(schedule: string): Promise<boolean>;
  noteTrouble(schedule: string, trouble: ScheduleState['trouble']): Promise<void>;
}
