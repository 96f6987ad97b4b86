import type { Command } from 'commander';
import { BATCH_STATES, type BatchState } from '../batches/batch-states.ts';
import { NightmillError } from '../errors.ts';
import type { StatusFilter } from '../operations/read-status.ts';

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

export interface FilterFlags {
  readonly state?: string;
  readonly workflow?: string;
  readonly tenant?: string;
  readonly since?: string;
  readonly limit?: string;
}

/** Which batches a list shows. */
export function addFilterOptions(command: Command): Command {
  return command
    .option('--state <state>', `only batches in this state: ${BATCH_STATES.join(', ')}`)
    .option('-w, --workflow <name>', 'only batches of this workflow')
    .option('--tenant <name>', 'only batches of this tenant')
    .option('--since <time>', 'only batches since a day (2026-01-31), a moment, or for a time back such as 12h or 7d')
    .option('--limit <number>', 'at most so many, newest first');
}

/** @throws {NightmillError} `usage` */
export function readFilter(flags: FilterFlags, limit: number, now = Date.now()): StatusFilter {
  return {
    state: readState(flags.state),
    workflow: flags.workflow,
    tenant: flags.tenant,
    since: readSince(flags.since, now),
    limit: readLimit(flags.limit) ?? limit,
  };
}

function readState(text: string | undefined): BatchState | undefined {
  const state = BATCH_STATES.find((known) => known === text);
  if (text === undefined || state !== undefined) return state;
  throw new NightmillError(
    'usage',
    `There is no state ${JSON.stringify(text)}: use one of ${BATCH_STATES.join(', ')}.`,
  );
}

function readSince(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const [, amount, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const back = amount === undefined ? undefined : Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS];
  const at = back === undefined ? Date.parse(/^\d{4}-\d{2}-\d{2}/.test(text) ? text : '') : now - back;
  if (Number.isFinite(at)) return at;
  throw new NightmillError(
    'usage',
    `Cannot use ${JSON.stringify(text)} for --since: write 2026-01-31, 2026-01-31T18:00Z, or a time back such as 12h or 7d.`,
  );
}

function readLimit(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const limit = Number(text);
  if (Number.isSafeInteger(limit) && limit > 0) return limit;
  throw new NightmillError('usage', `Cannot use ${JSON.stringify(text)} for --limit: use a whole number from 1.`);
}
