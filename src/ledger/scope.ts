import { calendarDay, monthOfDay } from './period.ts';

/** What money is counted for: `batch:ID`, `workflow:NAME/day`, `workflow:NAME/month`, `tenant:NAME/day`, `global/day`, `global/month`. */
export type ScopeName = string;

/** One scope in one period: the totals that a call is booked in. */
export interface Scope {
  readonly name: ScopeName;
  /** `YYYY-MM-DD`, `YYYY-MM`, or empty for a batch. */
  readonly period: string;
}

export interface BatchOwner {
  readonly batchId: string;
  readonly workflow: string;
  readonly tenant?: string;
}

/** Time zones in which the periods begin. */
export interface Timezones {
  /** Of the workflow's own day and month. */
  readonly workflow: string;
  /** Of the global and tenant periods. */
  readonly global: string;
}

interface OfDays {
  readonly workflowDay: string;
  readonly globalDay: string;
  readonly scopes: readonly Scope[];
}

const latest = new WeakMap<BatchOwner, OfDays>();

/**
 * All scopes of a call at a moment, the batch first. A call settles in the scopes that it was held in. The same owner gets
 * the same array as long as its days are the same.
 */
export function scopesOf(owner: BatchOwner, now: number, timezones: Timezones): readonly Scope[] {
  const workflowDay = calendarDay(now, timezones.workflow);
  const globalDay = calendarDay(now, timezones.global);
  const known = latest.get(owner);
  if (known?.workflowDay === workflowDay && known.globalDay === globalDay) return known.scopes;
  const scopes = scopesOn(owner, workflowDay, globalDay);
  latest.set(owner, { workflowDay, globalDay, scopes });
  return scopes;
}

function scopesOn(owner: BatchOwner, workflowDay: string, globalDay: string): readonly Scope[] {
  return [
    batchScope(owner.batchId),
    { name: `workflow:${owner.workflow}/day`, period: workflowDay },
    { name: `workflow:${owner.workflow}/month`, period: monthOfDay(workflowDay) },
    { name: 'global/day', period: globalDay },
    { name: 'global/month', period: monthOfDay(globalDay) },
    ...(owner.tenant === undefined ? [] : [{ name: `tenant:${owner.tenant}/day`, period: globalDay }]),
  ];
}

/** What a scope's name says. */
export interface ScopeParts {
  readonly kind: 'batch' | 'workflow' | 'tenant' | 'global';
  /** Of the batch, workflow or tenant; empty for `global`. */
  readonly name: string;
  /** How long its money counts together. */
  readonly window: 'batch' | 'day' | 'month';
}

const SCOPE_NAME =
  /^(?:(batch):([A-Za-z0-9._-]+)|(workflow):([A-Za-z0-9_-]+)\/(day|month)|(tenant):([A-Za-z0-9_-]+)\/(day)|(global)\/(day|month))$/;

/** @returns undefined where it is not the name of a scope */
export function parseScope(name: ScopeName): ScopeParts | undefined {
  const match = SCOPE_NAME.exec(name);
  if (match === null) return undefined;
  const kind = (match[1] ?? match[3] ?? match[6] ?? match[9]) as ScopeParts['kind'];
  return {
    kind,
    name: match[2] ?? match[4] ?? match[7] ?? '',
    window: (match[5] ?? match[8] ?? match[10] ?? 'batch') as ScopeParts['window'],
  };
}

/** The period of a scope's window at a moment: `YYYY-MM-DD`, `YYYY-MM`, or empty for a batch. */
export function periodOf(window: ScopeParts['window'], now: number, timezone: string): string {
  if (window === 'batch') return '';
  const day = calendarDay(now, timezone);
  return window === 'day' ? day : monthOfDay(day);
}

export function batchScope(batchId: string): Scope {
  return { name: `batch:${batchId}`, period: '' };
}
