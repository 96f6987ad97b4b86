import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { NightmillError } from '../src/errors.ts';
import type { NanoUsd } from '../src/money/money.ts';
import { checkSharedInboxes } from '../src/schedules/resolve-schedule.ts';
import { withoutUndefined } from '../src/text/without-undefined.ts';
import { readYaml } from '../src/text/yaml-value.ts';
import type { Config, WorkflowConfig } from './config.ts';
import { DEFAULT_CONFIG } from './defaults.ts';
import { commandEnvironment, readTracing } from './environment.ts';
import { describeMissing, type Environment, interpolate, isCallSecret, type MissingVariable } from './interpolate.ts';
import { readPriceList } from './price-list.ts';
import { resolveModels } from './resolve-models.ts';
import { checkTimezone, resolvePools } from './resolve-pools.ts';
import { resolveProviders } from './resolve-provider.ts';
import { resolveProxy } from './resolve-proxy.ts';
import { withRedaction } from './resolve-redaction.ts';
import { resolveRedis } from './resolve-redis.ts';
import { checkCanaries } from './schema/check-canaries.ts';
import { configSchema, type RawConfig } from './schema.ts';
import { resolveAlerts, webhookSecretProblems } from './webhooks.ts';
import { tenantsOf } from './workflows/resolve-tenants.ts';
import { resolveWorkflow, type WorkflowContext } from './workflows/resolve-workflow.ts';

const DEFAULT_CONFIG_FILE = 'nightmill.yaml';

/**
 * Reads and checks the configuration: `--config`, else `NIGHTMILL_CONFIG`, else `nightmill.yaml` in the working
 * folder, else the embedded defaults.
 *
 * @throws {NightmillError} `config_invalid` with every problem found, each with its path
 */
export function loadConfig(options: {
  file?: string | undefined;
  env: Environment;
  cwd: string;
  /** `leave`: keys and webhooks whose variable is not set are left out, for what makes no call. Default `refuse`. */
  missingSecrets?: 'refuse' | 'leave';
}): Config {
  const asked = options.file ?? (options.env['NIGHTMILL_CONFIG'] || undefined);
  const file = resolve(options.cwd, asked ?? DEFAULT_CONFIG_FILE);
  if (asked === undefined && !existsSync(file)) {
    return resolveConfig(parse(DEFAULT_CONFIG, 'the embedded defaults'), {
      ...options,
      file: undefined,
      folder: options.cwd,
    });
  }
  return loadConfigValue(readFile(file), { ...options, file });
}

/**
 * As {@link loadConfig}, from a value as YAML would give it.
 *
 * @param options.file where it came from; absent: the caller, so that paths in it are relative to `cwd`
 */
export function loadConfigValue(
  written: unknown,
  options: {
    file?: string | undefined;
    env: Environment;
    cwd: string;
    missingSecrets?: 'refuse' | 'leave' | undefined;
  },
): Config {
  const { cwd, file } = options;
  const name = file ?? 'that was given';
  const problems: string[] = [...webhookSecretProblems(written)];
  const missingSecrets: MissingVariable[] = [];
  const value = interpolate(written, options.env, (missing) => {
    if (options.missingSecrets === 'leave' && isCallSecret(missing)) missingSecrets.push(missing);
    else problems.push(describeMissing(missing));
  });
  const raw = parse(withoutSecrets(value, missingSecrets), name, problems);
  const at = file === undefined ? { ...options, folder: cwd } : { ...options, folder: dirname(file), file };
  return { ...resolveConfig(raw, at), missingSecrets };
}

/** Takes out the keys and headers that are empty now; a webhook without its address counts as switched off anyway. */
function withoutSecrets(value: unknown, missing: readonly MissingVariable[]): unknown {
  for (const { path } of missing) {
    const [root, ...parents] = path.split('.');
    const key = parents.pop();
    if (root !== 'providers' || key === undefined) continue;
    const holder = parents.reduce(
      (at, part) => at?.[part] as Record<string, unknown> | undefined,
      (value as Record<string, Record<string, unknown>>)['providers'],
    );
    delete holder?.[key];
  }
  return value;
}

function readFile(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new NightmillError(
      'config_invalid',
      `Cannot read the config file ${file}: ${(error as Error).message}. Name another with --config FILE.`,
      { cause: error },
    );
  }
  const read = readYaml(text);
  if ('problems' in read) throw invalid(file, read.problems);
  return read.value;
}

function parse(value: unknown, file: string, problems: readonly string[] = []): RawConfig {
  const parsed = configSchema.safeParse(value);
  const all = [...problems, ...(parsed.success ? [] : parsed.error.issues.map(describeIssue))];
  if (!parsed.success || all.length > 0) throw invalid(file, all);
  return parsed.data;
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const path = issue.path.map(String).join('.');
  // What says which kind of value it is says none that there is.
  if (issue.code === 'invalid_union' && 'options' in issue)
    return `${path}: use ${(issue.options as unknown[]).join(', ')}`;
  if (issue.code === 'invalid_union') return describeUnion(path, issue.errors);
  return `${path === '' ? '(top level)' : path}: ${issue.message}`;
}

/** What is wrong in each kind of value that may be there; kinds that were clearly not meant are left out. */
function describeUnion(path: string, errors: z.core.$ZodIssueInvalidUnion['errors']): string {
  const isOtherKind = (issues: readonly z.core.$ZodIssue[]) =>
    issues.every(({ code, path: at }) => code === 'invalid_type' && at.length === 0);
  const meant = errors.filter((issues) => !isOtherKind(issues));
  const issues = (meant.length === 0 ? errors : meant).flat();
  const messages = issues.map(({ path: at, message }) => (at.length === 0 ? message : `${at.join('.')}: ${message}`));
  return `${path}: ${[...new Set(messages)].join(', or ')}`;
}

function invalid(file: string, problems: readonly string[]): NightmillError {
  const list = problems.map((problem) => `  - ${problem}`).join('\n');
  return new NightmillError(
    'config_invalid',
    `The config ${file} has ${problems.length} problem${problems.length === 1 ? '' : 's'}:\n${list}`,
  );
}

/** Fills defaults, follows the names inside the file and converts units; reports all broken references at once. */
function resolveConfig(
  raw: RawConfig,
  at: { cwd: string; folder: string; file?: string | undefined; env: Environment },
): Config {
  const problems: string[] = [];
  const folder = resolve(at.cwd, '.nightmill');
  const proxy = resolveProxy(raw, at.env, problems);
  const tracing = readTracing(at.env, problems);
  const providers = resolveProviders(raw, proxy);
  const prices = readPriceList(folder);
  const { models: plain, facts: modelFacts } = resolveModels(raw, providers, prices, problems);
  const models = withRedaction(plain, raw, problems);
  checkCanaries(providers, models, problems);
  const pools = resolvePools(raw, problems);
  const workflows = new Map<string, WorkflowConfig>();
  const context = { raw, models, providers, folder: at.folder, stateFolder: folder, problems };
  for (const [name, workflow] of Object.entries(raw.workflows)) {
    const resolved = resolveWorkflow(name, workflow, context);
    if (resolved !== undefined) workflows.set(name, resolved);
  }
  const builtIns = builtInWorkflows(raw, context);
  checkSharedInboxes(
    [...workflows.values()].flatMap(({ schedule }) => schedule ?? []),
    problems,
  );
  checkTimezone(raw.timezone, 'timezone', problems);
  const redis = resolveRedis(raw.redis, at.folder, problems);
  if (problems.length > 0) throw invalid(at.file ?? 'the embedded defaults', problems);
  return {
    ...(at.file === undefined ? {} : { file: at.file }),
    folder,
    commandEnvironment: commandEnvironment(at.env),
    ...redis,
    redisPrefix: raw.redisPrefix,
    store: { ...resolveStore(raw, at, folder), ...proxy },
    ...proxy,
    ...(tracing === undefined ? {} : { tracing }),
    providers,
    models,
    modelFacts,
    prices,
    pools,
    workflows,
    builtIns,
    budget: withoutUndefined(raw.budget),
    allowUnknownTenants: raw.allowUnknownTenants,
    tenants: tenantsOf(raw),
    timezone: raw.timezone,
    alerts: resolveAlerts(raw.alerts),
    ingest: { ...raw.ingest, threads: raw.ingest.threads ?? availableParallelism() },
    retention: raw.retention,
    worker: {
      slices: raw.worker.slices,
      lockMs: raw.worker.lockSeconds * 1000,
      shutdownGraceMs: raw.worker.shutdownGraceSeconds * 1000,
      maxCallAttempts: raw.worker.maxCallAttempts,
      providerPatienceMs: raw.worker.providerPatienceSeconds * 1000,
      longestWaitMs: raw.worker.longestWaitSeconds * 1000,
    },
  };
}

/** What someone without a config has stays usable beside one; the config's own name wins. */
function builtInWorkflows({ workflows }: RawConfig, context: WorkflowContext): ReadonlyMap<string, WorkflowConfig> {
  const all = Object.entries(parse(DEFAULT_CONFIG, 'the embedded defaults').workflows);
  return new Map(
    all.flatMap(([name, workflow]) => {
      const resolved = name in workflows ? undefined : resolveWorkflow(name, workflow, context);
      return resolved === undefined ? [] : [[name, resolved] as const];
    }),
  );
}

function resolveStore(raw: RawConfig, at: { folder: string }, folder: string): Config['store'] {
  const url = raw.store ?? `file:${resolve(folder, 'store')}`;
  return {
    url: url.startsWith('file:')
      ? `file:${resolve(at.folder, url.slice('file:'.length).replace(/^\/\/(?=\/)/, ''))}`
      : url,
    region: 'us-east-1',
    forcePathStyle: false,
    ...withoutUndefined(raw.s3 ?? {}),
  };
}

/** The amounts of a budget, for callers that only need to know whether one applies. */
export function hasBudget(config: Config, workflow: WorkflowConfig, batchLimit: NanoUsd | undefined): boolean {
  return (
    batchLimit !== undefined ||
    workflow.spec.documentLimit !== undefined ||
    Object.keys(workflow.budget).length > 0 ||
    Object.keys(config.budget).length > 0 ||
    [...config.tenants.values()].some((tenant) => tenant.day !== undefined)
  );
}
