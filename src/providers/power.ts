import type { NanoUsd } from '../money/money.ts';
import type { PowerShare, PowerTime } from './power-book.ts';

/** A text is read by a shell; of a list, the program and its arguments, by none. */
export type PowerCommand = string | readonly string[];

/** How a self-hosted server is switched on and off. */
export interface PowerSettings {
  readonly start: PowerCommand;
  /** It is ready when the address answers with 2xx, or the command ends with 0. */
  readonly ready: { readonly url: string } | { readonly command: PowerCommand };
  readonly stop: PowerCommand;
  /** It is stopped when no open batch has needed it for so long. */
  readonly afterIdleMs: number;
  /** What an hour of it costs. Absent: its time is counted, and what that costs is not known. */
  readonly perHour?: NanoUsd;
}

/** Switches servers. Absent `why`: it has worked. */
export interface PowerMachine {
  run(command: PowerCommand): Promise<{ readonly why?: string }>;
  isReady(ready: PowerSettings['ready']): Promise<boolean>;
}

/** What the cluster knows of one server; times in milliseconds since the epoch. */
export interface PowerRecord {
  readonly state: 'off' | 'starting' | 'on' | 'failed';
  /** When it came to this state. */
  readonly since: number;
  /** Counts its changes: each is made by one process. */
  readonly step: number;
  /** Its time is booked until then. */
  readonly paidUntil?: number;
  /** No open batch needs it since then. */
  readonly idleSince?: number;
  /** Those that it was needed for last: its time is booked there. */
  readonly workflows: readonly string[];
  /** Why it is off or has failed. */
  readonly why?: string;
}

export const POWERED_OFF: PowerRecord = { state: 'off', since: 0, step: 0, workflows: [] };

/** Time is booked in advance, so much at once. */
export const PAID_AT_ONCE_MS = 60_000;
/** How long a server may take from its start to its first answer. */
const READY_WITHIN_MS = 15 * 60_000;
/** One that has failed is tried again after so long. */
const RETRY_MS = 5 * 60_000;

export type PowerStep = 'none' | 'start' | 'look' | 'pay' | 'note' | 'stop' | 'give_up';

/**
 * What to do with a server now. Pure.
 *
 * - `look`: whether it is ready · `note`: that it is needed, or not any more · `give_up`: it never got ready
 */
export function decidePower(
  { state, since, paidUntil, idleSince }: PowerRecord,
  { afterIdleMs }: Pick<PowerSettings, 'afterIdleMs'>,
  isNeeded: boolean,
  now: number,
): PowerStep {
  if (state === 'off') return isNeeded ? 'start' : 'none';
  if (state === 'failed') return isNeeded && now - since >= RETRY_MS ? 'start' : 'none';
  if (!isNeeded && idleSince !== undefined && now - idleSince >= afterIdleMs) return 'stop';
  if (now >= (paidUntil ?? 0)) return 'pay';
  if (isNeeded !== (idleSince === undefined)) return 'note';
  if (state === 'on') return 'none';
  return now - since > READY_WITHIN_MS ? 'give_up' : 'look';
}

/** What is booked next: whole intervals that begin where the last one ended, also those that nobody was there to book. */
export function nextPayment(
  { paidUntil }: PowerRecord,
  perHour: NanoUsd | undefined,
  now: number,
): { readonly from: number; readonly until: number; readonly cost?: NanoUsd } {
  const from = paidUntil ?? now;
  const intervals = Math.floor(Math.max(0, now - from) / PAID_AT_ONCE_MS) + 1;
  const until = from + intervals * PAID_AT_ONCE_MS;
  return perHour === undefined ? { from, until } : { from, until, cost: powerCost(perHour, until - from) };
}

/** What so much of a server's time costs: every interval that was begun. */
export function powerCost(perHour: NanoUsd, ms: number): NanoUsd {
  return Math.ceil((perHour * Math.ceil(ms / PAID_AT_ONCE_MS) * PAID_AT_ONCE_MS) / 3_600_000);
}

/** Equal parts that add up to the whole. */
export function splitEvenly(whole: number, parts: number): readonly number[] {
  const each = Math.floor(whole / parts);
  return Array.from({ length: parts }, (_, index) => (index === 0 ? whole - each * (parts - 1) : each));
}

/** A workflow that needs a server, and its open batches; none: the server is kept on for the next one. */
export interface PowerNeed {
  readonly workflow: string;
  readonly batches: readonly string[];
}

/** A workflow's part of a server's time, in equal parts among its batches. */
export function sharesOf({ workflow, batches }: PowerNeed, provider: string, time: PowerTime): readonly PowerShare[] {
  if (batches.length === 0) return [{ provider, workflow, ...time }];
  const costs = time.cost === undefined ? undefined : splitEvenly(time.cost, batches.length);
  return splitEvenly(time.ms, batches.length).map((ms, index) => {
    const [batch, cost] = [batches[index], costs?.[index]];
    return {
      ...{ provider, workflow, ms },
      ...(batch === undefined ? {} : { batch }),
      ...(cost === undefined ? {} : { cost }),
    };
  });
}
