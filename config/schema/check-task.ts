import { TASK_NAMES, TASK_SETTINGS, TASKS } from '../../src/tasks/tasks.ts';
import { LOCAL_MODEL_NAME, modelsOfTier, type Tier } from '../../src/workflows/workflow.ts';
import type { RawConfig } from '../schema.ts';

type RawWorkflow = RawConfig['workflows'][string];

/** Settings that the task of a workflow cannot have. */
export function checkTask(raw: RawWorkflow, cascade: readonly Tier[], at: string, problems: string[]): void {
  const task = TASKS[raw.task];
  if ('hasNoConfidence' in task) refuseThresholds(raw, at, problems);
  if ('needsPaidTiers' in task) refuseLocalTier(raw, at, problems);
  if ('sendsAsIs' in task) refuseChanges(raw, cascade, at, problems);
  refuseOtherSettings(raw, at, problems);
}

/** Every answer would pass a threshold, which so promises what it does not do. */
function refuseThresholds({ task, cascade }: RawWorkflow, at: string, problems: string[]): void {
  for (const [index, { acceptAt }] of cascade.entries()) {
    if (acceptAt === undefined) continue;
    problems.push(
      `${at}.cascade.${index}.acceptAt: an answer of task ${task} has no confidence that ${acceptAt} could be compared with; leave it out, ` +
        'the checks decide what goes to the next tier',
    );
  }
}

/** What is sent as it is can have nothing added, hidden or cut. */
function refuseChanges(raw: RawWorkflow, cascade: readonly Tier[], at: string, problems: string[]): void {
  for (const key of ['instructions', 'prompt', 'parts'] as const) {
    if (raw[key] !== undefined)
      problems.push(`${at}.${key}: task ${raw.task} sends each document as it is; leave it out`);
  }
  for (const [index, { instructions }] of raw.cascade.entries()) {
    if (instructions === undefined) continue;
    problems.push(`${at}.cascade.${index}.instructions: task ${raw.task} sends each document as it is; leave it out`);
  }
  for (const { name, redact } of cascade.flatMap(modelsOfTier)) {
    if (redact === undefined) continue;
    problems.push(
      `${at}.cascade: task ${raw.task} sends each document as it is, and the provider of ${name} must not see all of it (redact)`,
    );
  }
}

function refuseLocalTier({ task, cascade }: RawWorkflow, at: string, problems: string[]): void {
  for (const [index, { model }] of cascade.entries()) {
    if (![model].flat().includes(LOCAL_MODEL_NAME)) continue;
    problems.push(
      `${at}.cascade.${index}.model: the local model has no answer for task ${task}; name a model of models:`,
    );
  }
  for (const [index, { fallback = [] }] of cascade.entries()) {
    if (!fallback.includes(LOCAL_MODEL_NAME)) continue;
    problems.push(`${at}.cascade.${index}.fallback: the local model has no answer for task ${task}; leave it out`);
  }
}

function refuseOtherSettings(raw: RawWorkflow, at: string, problems: string[]): void {
  const own = Object.keys(TASKS[raw.task].options.shape);
  for (const key of Object.keys(TASK_SETTINGS) as (keyof typeof TASK_SETTINGS)[]) {
    if (raw[key] === undefined || own.includes(key)) continue;
    const owners = TASK_NAMES.filter((name) => key in TASKS[name].options.shape).join(' or ');
    problems.push(`${at}.${key}: only a ${owners} workflow has ${key}; this one has task: ${raw.task}`);
  }
}
