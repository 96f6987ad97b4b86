import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import type { z } from 'zod';
import type { NanoUsd } from '../src/domain/money.ts';
import { type Label, LOCAL_MODEL_NAME, type ModelSpec, type Tier, type WorkflowSpec } from '../src/domain/workflow.ts';
import { NightmillError } from '../src/errors.ts';
import type { Config, ProviderConfig, WebhookConfig, WorkflowConfig } from './config.ts';
import { DEFAULT_CONFIG } from './defaults.ts';
import { type Environment, interpolate } from './interpolate.ts';
import { isUnpinnedAlias } from './model-alias.ts';
import { resolvePrice } from './model-price.ts';
import { configSchema, type RawConfig } from './schema.ts';
import { webhookSecretProblems } from './webhook-secrets.ts';

export const DEFAULT_CONFIG_FILE = 'nightmill.yaml';
const DEFAULT_CONCURRENCY = 32;

export const LOCAL_MODEL: ModelSpec = {
  name: LOCAL_MODEL_NAME,
  provider: LOCAL_MODEL_NAME,
  id: 'local',
  contextTokens: Number.MAX_SAFE_INTEGER,
  maxOutputTokens: Number.MAX_SAFE_INTEGER,
  price: { inputPerMillion: 0, cachedInputPerMillion: 0, outputPerMillion: 0 },
  structuredOutput: 'prompt',
  logprobs: false,
};

/**
 * Reads and checks the configuration: `--config`, else `NIGHTMILL_CONFIG`, else `nightmill.yaml` in the working
 * folder, else the embedded defaults.
 *
 * @throws {NightmillError} `config_invalid` with every problem found, each with its path
 */
export function loadConfig(options: { file?: string | undefined; env: Environment; cwd: string }): Config {
  const asked = options.file ?? (options.env['NIGHTMILL_CONFIG'] || undefined);
  const file = resolve(options.cwd, asked ?? DEFAULT_CONFIG_FILE);
  if (asked === undefined && !existsSync(file)) {
    return resolveConfig(parse(DEFAULT_CONFIG, 'the embedded defaults'), { cwd: options.cwd, folder: options.cwd });
  }
  const problems: string[] = [];
  const written = readYaml(file);
  problems.push(...webhookSecretProblems(written));
  const value = interpolate(written, options.env, problems);
  const raw = parse(value, file, problems);
  return resolveConfig(raw, { cwd: options.cwd, folder: dirname(file), file });
}

function readYaml(file: string): unknown {
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
  const document = parseDocument(text, { prettyErrors: true });
  const problems = document.errors.map((error) => error.message.split('\n')[0] ?? 'unreadable');
  if (problems.length > 0) throw invalid(file, problems);
  return document.toJS({ maxAliasCount: 100 }) ?? {};
}

function parse(value: unknown, file: string, problems: readonly string[] = []): RawConfig {
  const parsed = configSchema.safeParse(value);
  const all = [...problems, ...(parsed.success ? [] : parsed.error.issues.map(describeIssue))];
  if (!parsed.success || all.length > 0) throw invalid(file, all);
  return parsed.data;
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const path = issue.path.map(String).join('.');
  if (issue.code === 'invalid_union') {
    const messages = issue.errors.flat().map((inner) => inner.message);
    return `${path}: ${[...new Set(messages)].join(', or ')}`;
  }
  return `${path === '' ? '(top level)' : path}: ${issue.message}`;
}

function invalid(file: string, problems: readonly string[]): NightmillError {
  const list = problems.map((problem) => `  - ${problem}`).join('\n');
  return new NightmillError(
    'config_invalid',
    `The config ${file} has ${problems.length} problem${problems.length === 1 ? '' : 's'}:\n${list}`,
  );
}

/** Fills defaults, follows the names inside the file and converts units; reports all broken references at once. */
function resolveConfig(raw: RawConfig, at: { cwd: string; folder: string; file?: string }): Config {
  const problems: string[] = [];
  const folder = resolve(at.cwd, '.nightmill');
  const models = resolveModels(raw, problems);
  const workflows = new Map<string, WorkflowConfig>();
  for (const [name, workflow] of Object.entries(raw.workflows)) {
    const resolved = resolveWorkflow(name, workflow, { raw, models, folder: at.folder, problems });
    if (resolved !== undefined) workflows.set(name, resolved);
  }
  checkTimezone(raw.timezone, 'timezone', problems);
  if (problems.length > 0) throw invalid(at.file ?? 'the embedded defaults', problems);
  return {
    ...(at.file === undefined ? {} : { file: at.file }),
    folder,
    ...(raw.redis === undefined ? {} : { redisUrl: raw.redis }),
    redisPrefix: raw.redisPrefix,
    store: resolveStore(raw, at, folder),
    providers: new Map(Object.entries(raw.providers).map(([name, value]) => [name, resolveProvider(name, value)])),
    workflows,
    budget: withoutUndefined(raw.budget),
    tenants: new Map(Object.entries(raw.tenants).map(([name, tenant]) => [name, withoutUndefined(tenant.budget)])),
    timezone: raw.timezone,
    alerts: { webhooks: raw.alerts.webhooks.filter(isOn).map(resolveWebhook) },
    ingest: raw.ingest,
    worker: {
      slices: raw.worker.slices,
      lockMs: raw.worker.lockSeconds * 1000,
      shutdownGraceMs: raw.worker.shutdownGraceSeconds * 1000,
      maxCallAttempts: raw.worker.maxCallAttempts,
      providerPatienceMs: raw.worker.providerPatienceSeconds * 1000,
    },
  };
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

function isOn(webhook: WebhookConfig): boolean {
  return (webhook.kind === 'telegram' ? webhook.token : webhook.url) !== '';
}

function resolveWebhook(webhook: WebhookConfig): WebhookConfig {
  return webhook.kind === 'telegram' ? { ...webhook, baseUrl: webhook.baseUrl.replace(/\/+$/, '') } : webhook;
}

function resolveProvider(name: string, raw: RawConfig['providers'][string]): ProviderConfig {
  return {
    name,
    kind: raw.kind,
    baseUrl: raw.baseUrl.replace(/\/+$/, ''),
    ...(raw.apiKey === undefined || raw.apiKey === '' ? {} : { apiKey: raw.apiKey }),
    headers: raw.headers ?? {},
    timeoutMs: raw.timeoutSeconds * 1000,
    maxTokensField: raw.maxTokensField,
    limits: { concurrency: DEFAULT_CONCURRENCY, ...withoutUndefined(raw.limits) },
  };
}

function resolveModels(raw: RawConfig, problems: string[]): Map<string, ModelSpec> {
  const models = new Map<string, ModelSpec>([[LOCAL_MODEL_NAME, LOCAL_MODEL]]);
  for (const [name, model] of Object.entries(raw.models)) {
    const at = `models.${name}`;
    if (name === LOCAL_MODEL_NAME)
      problems.push(`${at}: this name is taken by the built-in local model; choose another`);
    const provider = raw.providers[model.provider];
    if (provider === undefined) {
      problems.push(
        `${at}.provider: there is no provider ${JSON.stringify(model.provider)}; ${known(Object.keys(raw.providers))}`,
      );
      continue;
    }
    if (!model.allowAlias && isUnpinnedAlias(model.id)) {
      problems.push(
        `${at}.id: ${JSON.stringify(model.id)} is an alias that the provider may point at another model tomorrow; ` +
          'name the dated version, or set allowAlias: true',
      );
    }
    if (model.maxOutputTokens >= model.contextTokens) {
      problems.push(
        `${at}.maxOutputTokens: ${model.maxOutputTokens} leaves no room in contextTokens ${model.contextTokens}`,
      );
    }
    models.set(name, {
      name,
      provider: model.provider,
      id: model.id,
      contextTokens: model.contextTokens,
      maxOutputTokens: model.maxOutputTokens,
      ...(model.temperature === undefined ? {} : { temperature: model.temperature }),
      ...resolvePrice(model, provider.baseUrl, at, problems),
      structuredOutput: provider.structuredOutput,
      logprobs: provider.logprobs,
    });
  }
  return models;
}

interface WorkflowContext {
  readonly raw: RawConfig;
  readonly models: ReadonlyMap<string, ModelSpec>;
  readonly folder: string;
  readonly problems: string[];
}

function resolveWorkflow(
  name: string,
  raw: RawConfig['workflows'][string],
  context: WorkflowContext,
): WorkflowConfig | undefined {
  const at = `workflows.${name}`;
  const { problems } = context;
  const cascade: Tier[] = [];
  for (const [index, tier] of raw.cascade.entries()) {
    const model = context.models.get(tier.model);
    if (model === undefined) {
      problems.push(
        `${at}.cascade.${index}.model: there is no model ${JSON.stringify(tier.model)}; ${known([...context.models.keys()])}`,
      );
      continue;
    }
    cascade.push({ model, ...(tier.acceptAt === undefined ? {} : { acceptAt: tier.acceptAt }) });
  }
  checkTimezone(raw.timezone, `${at}.timezone`, problems);
  if (raw.schedule !== undefined) checkTimezone(raw.schedule.timezone, `${at}.schedule.timezone`, problems);
  const spec = resolveTask(name, raw, cascade, context);
  if (spec === undefined) return undefined;
  return {
    spec,
    budget: withoutUndefined(raw.budget),
    timezone: raw.timezone,
    ...(raw.schedule === undefined ? {} : { schedule: raw.schedule }),
  };
}

function resolveTask(
  name: string,
  raw: RawConfig['workflows'][string],
  cascade: readonly Tier[],
  { folder, problems }: WorkflowContext,
): WorkflowSpec | undefined {
  const at = `workflows.${name}`;
  const base = {
    name,
    cascade,
    ...(raw.instructions === undefined ? {} : { instructions: raw.instructions }),
    ...(raw.cache ? { cache: true } : {}),
    ...(raw.drainAt === undefined ? {} : { drainAt: raw.drainAt }),
  };
  if (raw.task === 'summarize') {
    for (const key of ['labels', 'examples'] as const) {
      if (raw[key] !== undefined)
        problems.push(`${at}.${key}: only a classify workflow has ${key}; this one has task: summarize`);
    }
    return { ...base, task: 'summarize', summary: { maxWords: 120, ...withoutUndefined(raw.summary ?? {}) } };
  }
  if (raw.summary !== undefined)
    problems.push(`${at}.summary: only a summarize workflow has it; this one has task: classify`);
  const labels = resolveLabels(raw.labels);
  if (labels.length < 2) {
    problems.push(`${at}.labels: a classify workflow needs at least two labels; it has ${labels.length}`);
    return undefined;
  }
  const examples =
    raw.examples === undefined ? [] : readExamples(resolve(folder, raw.examples), `${at}.examples`, labels, problems);
  return { ...base, task: 'classify', labels, examples };
}

function resolveLabels(raw: RawConfig['workflows'][string]['labels']): Label[] {
  if (raw === undefined) return [];
  if (Array.isArray(raw)) return [...new Set(raw)].map((label) => ({ label, description: label }));
  return Object.entries(raw).map(([label, description]) => ({
    label,
    description: description === '' ? label : description,
  }));
}

function readExamples(
  file: string,
  at: string,
  labels: readonly Label[],
  problems: string[],
): { text: string; label: string }[] {
  let lines: string[];
  try {
    lines = readFileSync(file, 'utf8').split('\n');
  } catch (error) {
    problems.push(`${at}: cannot read ${file}: ${(error as Error).message}`);
    return [];
  }
  const names = new Set(labels.map((label) => label.label));
  const examples: { text: string; label: string }[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const example = parseExample(line);
    if (example === undefined)
      problems.push(`${at}: line ${index + 1} of ${file} is not {"text": "...", "label": "..."}`);
    else if (!names.has(example.label)) {
      problems.push(
        `${at}: line ${index + 1} of ${file} has label ${JSON.stringify(example.label)}; ${known([...names])}`,
      );
    } else examples.push(example);
    if (problems.length > 20) break;
  }
  return examples;
}

function parseExample(line: string): { text: string; label: string } | undefined {
  try {
    const value = JSON.parse(line) as { text?: unknown; label?: unknown } | null;
    if (typeof value?.text === 'string' && typeof value.label === 'string')
      return { text: value.text, label: value.label };
  } catch {
    // reported by the caller with its line number
  }
  return undefined;
}

function checkTimezone(timezone: string, at: string, problems: string[]): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone });
  } catch {
    problems.push(`${at}: ${JSON.stringify(timezone)} is not a time zone; use a name such as Europe/Berlin or UTC`);
  }
}

function known(names: readonly string[]): string {
  if (names.length === 0) return 'none is configured';
  const shown = names.slice(0, 12).join(', ');
  return `known: ${shown}${names.length > 12 ? ', …' : ''}`;
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

function withoutUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as Defined<T>;
}

/** The amounts of a budget, for callers that only need to know whether one applies. */
export function hasBudget(config: Config, workflow: WorkflowConfig, batchLimit: NanoUsd | undefined): boolean {
  return (
    batchLimit !== undefined ||
    Object.keys(workflow.budget).length > 0 ||
    Object.keys(config.budget).length > 0 ||
    [...config.tenants.values()].some((tenant) => tenant.day !== undefined)
  );
}
