import { resolve } from 'node:path';
import { findCronProblem } from './calendar.ts';
import type { Schedule } from './schedule.ts';

/** A batch of a schedule is called WORKFLOW-20270131T0100, or with -2, and an id has at most 80 characters. */
const USABLE_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.)){0,61}$/;

/**
 * @param raw as the config has it, defaults filled in
 * @param folder of the config file: where a relative inbox is
 */
export function resolveSchedule(
  workflow: string,
  raw: Omit<Schedule, 'workflow'>,
  { folder, problems }: { readonly folder: string; readonly problems: string[] },
): Schedule {
  const at = `workflows.${workflow}.schedule`;
  const problem = findCronProblem(raw.cron);
  if (problem !== undefined) {
    problems.push(
      `${at}.cron: cannot use ${JSON.stringify(raw.cron)}: ${problem}; write five fields, such as "0 1 * * *" for one o'clock each night`,
    );
  }
  if (!USABLE_NAME.test(workflow)) {
    problems.push(
      `${at}: its batches are named after the workflow, so that needs a name of at most 62 letters, digits, dots, - and _`,
    );
  }
  if (/^s3:(?!\/\/[^/]+(?:\/|$))/.test(raw.input)) {
    problems.push(`${at}.input: cannot use ${JSON.stringify(raw.input)}: write s3://bucket/prefix/`);
  }
  return { workflow, ...raw, input: inboxOf(raw.input, folder) };
}

/** A folder and a prefix name what is in them, so a prefix ends with a slash too. */
function inboxOf(input: string, folder: string): string {
  if (!input.startsWith('s3://')) return resolve(folder, input.replace(/^file:(?:\/\/(?=\/))?/, ''));
  return input.endsWith('/') ? input : `${input}/`;
}

/** Where one schedule moves files away, another one with the same inbox would miss them. */
export function checkSharedInboxes(schedules: readonly Schedule[], problems: string[]): void {
  for (const mover of schedules) {
    if (mover.after !== 'archive') continue;
    const other = schedules.find(({ workflow, input }) => workflow !== mover.workflow && input === mover.input);
    if (other === undefined) continue;
    problems.push(
      `workflows.${mover.workflow}.schedule.after: archive would move files of ${mover.input} away before ${other.workflow} has taken them; ` +
        'keep them, or give each an inbox of its own',
    );
  }
}
