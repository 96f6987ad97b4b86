import type { InputDefaults } from '../src/documents/field-mapping.ts';
import { NightmillError } from '../src/errors.ts';
import type { GateRules } from '../src/evaluation/gate.ts';
import type { PoolLimits } from '../src/ledger/pool-limits.ts';
import type { Timezones } from '../src/ledger/scope.ts';
import type { NanoUsd } from '../src/money/money.ts';
import type { PowerSettings } from '../src/providers/power.ts';
import type { ProviderEndpoint } from '../src/providers/provider-endpoint.ts';
import type { JsonFields } from '../src/requests/model-request.ts';
import type { ProxySettings } from '../src/runtime/proxy-settings.ts';
import type { TracingSettings } from '../src/runtime/tracing-settings.ts';
import type { Schedule } from '../src/schedules/schedule.ts';
import type { Retention } from '../src/store/retention.ts';
import type { Requirements } from '../src/workflows/requirements.ts';
import type { ModelSpec, WorkflowBudget, WorkflowSpec } from '../src/workflows/workflow.ts';
import type { Catalogue } from './catalogue.ts';
import type { ModelFacts } from './model-facts.ts';
import type { PresetName } from './presets.ts';
import type { RedisTarget } from './redis-target.ts';
import type { TriedCascade } from './workflows/tried-cascade.ts';

/** One provider endpoint with its secret, preset and config merged. */
export interface ProviderConfig extends ProviderEndpoint {
  readonly preset?: PresetName;
  /** It runs on your own network, so private documents may go there. */
  readonly isLocal: boolean;
  /** It states that it does not train on what it is sent. */
  readonly noTraining?: true;
  /** As they stand in the file; `Config.pools` has what calls are held to. */
  readonly limits: Omit<PoolLimits, 'concurrency'> & {
    /** Calls in flight in the whole cluster. */
    readonly clusterConcurrency?: number;
    /** Calls in flight in one worker process. */
    readonly concurrency: number;
    /** The first calls in flight, where nothing is known of the server; absent: `concurrency`. */
    readonly startConcurrency?: number;
  };
  /** How its server is switched on and off. Absent: it is there, or somebody else does it. */
  readonly power?: PowerSettings;
  /** Fields that go with every request; each model adds its own. */
  readonly request?: JsonFields;
  /** Asked now and then whether it is still what it was. Absent: not. */
  readonly canary?: { readonly everyMs: number; readonly model?: string };
}

/** Who is told of alerts. URL and token are secrets. */
export type WebhookConfig =
  | { readonly kind: 'generic'; readonly url: string; readonly secret?: string | undefined }
  | { readonly kind: 'slack' | 'discord'; readonly url: string }
  | { readonly kind: 'exec'; readonly command: readonly string[] }
  | { readonly kind: 'telegram'; readonly token: string; readonly chatId: string; readonly baseUrl: string };

export interface WorkflowConfig {
  readonly spec: WorkflowSpec;
  /** Hash of its prompts and models: a calibration of others does not fit. Absent: requests to one model. */
  readonly madeWith?: () => string;
  /** Why its `acceptAt: calibrated` cannot be used, with the fix: nothing is submitted then. */
  readonly uncalibrated?: string;
  /** What must have been shown before it spends. Absent: nothing. */
  readonly gate?: GateRules;
  readonly budget: WorkflowBudget;
  readonly timezone: string;
  readonly schedule?: Schedule;
  /** How its documents are read, where no flag says otherwise. */
  readonly input?: InputDefaults;
  /** By tenant. Absent: none has anything of its own. */
  readonly tenants?: ReadonlyMap<string, TenantConfig>;
  /** What candidates are held to. Absent: nothing. */
  readonly requirements?: Requirements;
  /** The cascade that a candidate's text names, held to its task and its rules for data. Absent: it takes no candidates. */
  readonly tryCascade?: (text: string) => TriedCascade;
}

/** What a tenant of a workflow gets in place of the workflow's own; absent: that. */
export interface TenantConfig {
  /** Name of the plan, or the tenant's own where it shares none. */
  readonly plan: string;
  /** The workflow with the tenant's cascade. */
  readonly spec?: WorkflowSpec;
  readonly budget: Pick<WorkflowBudget, 'batch'>;
  readonly priority?: number;
}

/** The complete, checked settings: every default filled in, money in nano-dollars, time in milliseconds. */
export interface Config {
  /** Where it came from; absent: the embedded defaults. */
  readonly file?: string;
  /** Absolute path of `.nightmill` in the working folder: embedded Redis, file store, temporary files. */
  readonly folder: string;
  /** Absent: the embedded server in `folder`. */
  readonly redis?: RedisTarget;
  readonly redisPrefix: string;
  /** What commands of the config see of the environment: PATH and HOME. */
  readonly commandEnvironment: Readonly<Record<string, string>>;
  /** Variables of keys and webhooks that are not set: what needs them cannot be called. */
  readonly missingSecrets?: readonly { readonly path: string; readonly name: string }[];
  readonly store: {
    /** `file:/absolute/path` or `s3://bucket/prefix`. */
    readonly url: string;
    readonly endpoint?: string;
    readonly region: string;
    readonly forcePathStyle: boolean;
    readonly accessKeyId?: string;
    readonly secretAccessKey?: string;
    readonly proxy?: ProxySettings;
  };
  /** On the way to providers, webhooks and S3; absent: none. */
  readonly proxy?: ProxySettings;
  /** Absent: no traces are made. */
  readonly tracing?: TracingSettings;
  readonly providers: ReadonlyMap<string, ProviderConfig>;
  /** Every model by its name, `local` included. */
  readonly models: ReadonlyMap<string, ModelSpec>;
  /** Where the figures of each model that calls a provider come from. */
  readonly modelFacts: ReadonlyMap<string, ModelFacts>;
  /** The price list in force: the built-in one, with what `prices update` has added. */
  readonly prices: Catalogue;
  /** Every quota by its pool's name (`ModelSpec.pool`), those without a limit included; `local` has none. */
  readonly pools: ReadonlyMap<string, PoolLimits>;
  readonly workflows: ReadonlyMap<string, WorkflowConfig>;
  /** Those of someone without a config, free and local, whose names {@link workflows} does not take. */
  readonly builtIns: ReadonlyMap<string, WorkflowConfig>;
  readonly budget: { readonly day?: NanoUsd; readonly month?: NanoUsd };
  readonly tenants: ReadonlyMap<string, { readonly day?: NanoUsd }>;
  /** Batches may name a tenant that is not in {@link tenants}. Where none is named there, any may be. */
  readonly allowUnknownTenants: boolean;
  readonly timezone: string;
  readonly alerts: {
    readonly webhooks: readonly WebhookConfig[];
    /** When one summary of the last 24 hours is sent, minutes since midnight in `timezone`; absent: none. */
    readonly summaryAt?: number;
  };
  readonly ingest: {
    readonly maxLineBytes: number;
    readonly sliceDocuments: number;
    readonly sliceTokens: number;
    /** Documents parsed at once. */
    readonly threads: number;
  };
  /** How long things are kept; what is absent is kept for good. */
  readonly retention: Retention;
  readonly worker: {
    readonly slices: number;
    readonly lockMs: number;
    readonly shutdownGraceMs: number;
    readonly maxCallAttempts: number;
    readonly providerPatienceMs: number;
    /** The longest wait a provider may name that `run` sits out. */
    readonly longestWaitMs: number;
  };
}

/** The config's own workflow of that name, else the built-in one. */
export function findWorkflow(config: Pick<Config, 'workflows' | 'builtIns'>, name: string): WorkflowConfig | undefined {
  return config.workflows.get(name) ?? config.builtIns.get(name);
}

/** As {@link findWorkflow}. @throws {NightmillError} `workflow_unknown`, with the known ones */
export function workflowOf(config: Config, name: string): WorkflowConfig {
  const workflow = findWorkflow(config, name);
  if (workflow !== undefined) return workflow;
  throw new NightmillError(
    'workflow_unknown',
    `There is no workflow ${JSON.stringify(name)} in ${config.file ?? 'the embedded defaults'}; known: ${knownWorkflows(config)}.`,
  );
}

/** For messages: `triage; built in: summarize, classify`. */
export function knownWorkflows({ workflows, builtIns }: Pick<Config, 'workflows' | 'builtIns'>): string {
  const own = [...workflows.keys()].join(', ') || 'none';
  return builtIns.size === 0 ? own : `${own}; built in: ${[...builtIns.keys()].join(', ')}`;
}

/** Where the periods of a workflow's budgets begin; a workflow that has left the config counts in the global zone. */
export function batchTimezones(config: Pick<Config, 'workflows' | 'timezone'>, workflow: string): Timezones {
  return { workflow: config.workflows.get(workflow)?.timezone ?? config.timezone, global: config.timezone };
}

/** Names of the providers whose server is switched on for batches. */
export function poweredIn({ providers }: Pick<Config, 'providers'>): ReadonlySet<string> {
  return new Set([...providers].flatMap(([name, { power }]) => (power === undefined ? [] : [name])));
}

/** Share of a limit from which a workflow drains, as it is configured now. */
export function drainAtOf(config: Pick<Config, 'workflows'>, workflow: string): number | undefined {
  return config.workflows.get(workflow)?.spec.drainAt;
}
