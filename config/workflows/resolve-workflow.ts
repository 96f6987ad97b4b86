import { resolve } from 'node:path';
import { resolveSchedule } from '../../src/schedules/resolve-schedule.ts';
import { TASKS } from '../../src/tasks/tasks.ts';
import { withoutUndefined } from '../../src/text/without-undefined.ts';
import type { Tier, WorkflowSpec } from '../../src/workflows/workflow.ts';
import { resolveCalibration } from '../calibration/resolve-calibration.ts';
import type { WorkflowConfig } from '../config.ts';
import { checkTimezone } from '../resolve-pools.ts';
import type { RawConfig } from '../schema.ts';
import { readText, resolveInstructions } from './read-text.ts';
import { resolveCandidate } from './resolve-candidate.ts';
import { type CascadeContext, resolveCascade } from './resolve-cascade.ts';
import { resolveGate } from './resolve-gate.ts';
import { resolveRoute } from './resolve-route.ts';
import { checkRoom, resolveTenants } from './resolve-tenants.ts';
import { tryCascade } from './try-cascade.ts';

export interface WorkflowContext extends CascadeContext {
  readonly folder: string;
  readonly stateFolder: string;
}

/** A workflow with its models, settings and tenants; undefined: its settings cannot be used, which are problems. */
export function resolveWorkflow(
  name: string,
  raw: RawConfig['workflows'][string],
  context: WorkflowContext,
): WorkflowConfig | undefined {
  const at = `workflows.${name}`;
  const { problems } = context;
  const cascade = resolveCascade(raw, at, context);
  checkTimezone(raw.timezone, `${at}.timezone`, problems);
  if (raw.schedule !== undefined) checkTimezone(raw.schedule.timezone, `${at}.schedule.timezone`, problems);
  const spec = resolveTask(name, raw, cascade, context);
  const gate = resolveGate(raw, at, context.folder, problems);
  if (spec === undefined) return undefined;
  checkRoom(spec, at, problems);
  const tenants = resolveTenants(raw, at, spec, context);
  const { document: _, ...budget } = raw.budget;
  return {
    ...resolveCalibration(spec, raw.cascade, context.stateFolder),
    ...(gate === undefined ? {} : { gate }),
    budget: withoutUndefined(budget),
    timezone: raw.timezone,
    ...(raw.schedule === undefined ? {} : { schedule: resolveSchedule(name, raw.schedule, context) }),
    ...resolveInput(raw),
    ...(tenants.size === 0 ? {} : { tenants }),
    tryCascade: (text) => tryCascade(text, raw, { at, spec, context }),
    ...(raw.requirements === undefined ? {} : { requirements: withoutUndefined(raw.requirements) }),
  };
}

function resolveInput({ task, input }: RawConfig['workflows'][string]): Pick<WorkflowConfig, 'input'> {
  const own = 'sendsAsIs' in TASKS[task] ? { isRequest: true as const } : undefined;
  return input === undefined && own === undefined ? {} : { input: { ...withoutUndefined(input ?? {}), ...own } };
}

function resolveTask(
  name: string,
  raw: RawConfig['workflows'][string],
  cascade: readonly Tier[],
  context: WorkflowContext,
): WorkflowSpec | undefined {
  const { folder, problems } = context;
  const at = `workflows.${name}`;
  const instructions = resolveInstructions(raw, at, folder, problems);
  const candidate = resolveCandidate(raw, cascade, at, context);
  const route = resolveRoute(raw, cascade, at, context);
  const base = {
    name,
    cascade,
    ...(instructions === undefined ? {} : { instructions }),
    ...(raw.private ? { private: true } : {}),
    ...(raw.cache ? { cache: true } : {}),
    ...(raw.budget.document === undefined ? {} : { documentLimit: raw.budget.document }),
    ...(raw.drainAt === undefined ? {} : { drainAt: raw.drainAt }),
    ...(raw.rows === undefined ? {} : { rows: raw.rows }),
    ...(raw.audit === undefined ? {} : { audit: raw.audit }),
    ...(route === undefined ? {} : { route }),
    ...(candidate === undefined ? {} : { candidate }),
    ...(raw.parts === undefined ? {} : { parts: withoutUndefined(raw.parts) }),
  };
  const options = TASKS[raw.task].options.resolve(raw, {
    at,
    problems,
    readText: (file, setting) => readText(resolve(folder, file), setting, problems),
  });
  return options === undefined ? undefined : { ...base, ...options, ...resolveDigest(raw, options, at, problems) };
}

function resolveDigest(
  { digest }: RawConfig['workflows'][string],
  options: object,
  at: string,
  problems: string[],
): Pick<WorkflowSpec, 'digest'> {
  if (digest === undefined) return {};
  const hasLabels = 'labels' in options;
  const { by = hasLabels ? 'label' : 'all', maxWords } = digest;
  if (by === 'label' && !hasLabels) problems.push(`${at}.digest.by: the task has no labels; use all`);
  return { digest: { by, maxWords } };
}
