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

/** All scopes of a call at a moment, the batch first. A call settles in the scopes that it was held in. */
export function scopesOf(owner: BatchOwner, now: number, timezones: Timezones): readonly Scope[] {
  const workflowDay = calendarDay(now, timezones.workflow);
  const globalDay = calendarDay(now, timezones.global);
  return [
    batchScope(owner.batchId),
    { name: `workflow:${owner.workflow}/day`, period: workflowDay },
    { name: `workflow:${owner.workflow}/month`, period: monthOfDay(workflowDay) },
    { name: 'global/day', period: globalDay },
    { name: 'global/month', period: monthOfDay(globalDay) },
    ...(owner.tenant === undefined ? [] : [{ name: `tenant:${owner.tenant}/day`, period: globalDay }]),
  ];
}

const SCOPE_NAME =
  /^(?:batch:[A-Za-z0-9._-]+|workflow:[A-Za-z0-9_-]+\/(?:day|month)|tenant:[A-Za-z0-9_-]+\/day|global\/(?:day|month))$/;

export function isScopeName(text: string): boolean {
  return SCOPE_NAME.test(text);
}

export function batchScope(batchId: string): Scope {
  return { name: `batch:${batchId}`, period: '' };
}
