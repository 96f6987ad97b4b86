import type { ReplyChecks, SoughtText } from '../checks/reply-checks.ts';
import type { NanoUsd } from '../money/money.ts';
import type { TokenPrice } from '../money/price.ts';
import type { RedactionPolicy } from '../redaction/redaction-policy.ts';
import type { ReasoningSpec } from './reasoning.ts';

/** The model that ships with the program; a cascade names it like any other. */
export const LOCAL_MODEL_NAME = 'local';

/** A model as a batch uses it: no secrets, so it can be stored with the batch. */
export interface ModelSpec {
  /** Its name in the config; `local` for the built-in one. */
  readonly name: string;
  /** Name of the provider in the config; `local` for the built-in one. */
  readonly provider: string;
  /** The quota that its calls use, a key of `Config.pools`. Absent in batches of earlier versions: its provider's. */
  readonly pool?: string;
  /** The provider's name of it. */
  readonly id: string;
  /** Input and output together. */
  readonly contextTokens: number;
  /** Of one reply, its thinking included. */
  readonly maxOutputTokens: number;
  readonly temperature?: number;
  /** What its tier adds to the prompt. Absent: nothing. */
  readonly instructions?: string;
  /** Absent: nothing is sent, and the output caps have no room for thinking. */
  readonly reasoning?: ReasoningSpec;
  /** Further fields of each request, as its provider names them. */
  readonly request?: Readonly<Record<string, unknown>>;
  /** Absent: unknown, which is refused wherever a budget applies. */
  readonly price?: TokenPrice;
  /**
   * What its provider may store in its prompt cache at the price of a cache write: nothing, because no marker is sent,
   * or the system prompt, at whose end the marker stands. Absent: all of the input.
   */
  readonly cacheWrites?: 'none' | 'system';
  readonly structuredOutput: 'json_schema' | 'json_object' | 'prompt';
  readonly logprobs: boolean;
  /** What its provider must not see. Absent: it sees the documents as they are. */
  readonly redact?: RedactionPolicy;
}

/** The quota that a model's calls use. */
export function poolOf({ pool, provider }: ModelSpec): string {
  return pool ?? provider;
}

export interface Tier {
  readonly model: ModelSpec;
  /** Least confidence at which this tier answers; absent: every reply that passes the task's checks. */
  readonly acceptAt?: number;
  /** The same for each label, in place of `acceptAt`: a label that is not named is never accepted. From a calibration. */
  readonly acceptAtByLabel?: Readonly<Record<string, number>>;
  /** Further hosts of the same model, each with its own price and quota; `spread` chooses among all of them. */
  readonly hosts?: readonly ModelSpec[];
  /** Absent: `model` has one host. */
  readonly spread?: Spread;
  /** Models that stand in, in this order, while the providers of `model` and `hosts` are in trouble. */
  readonly fallbacks?: readonly ModelSpec[];
  /** The built-in model stands in where none of all these is well; its answers are degraded. Absent: the tier waits. */
  readonly standsInLocally?: true;
}

/** How calls go to the hosts of one model: where they start soonest, to the cheapest that is free, to the fastest. */
export const SPREADS = ['quota', 'cheapest', 'fastest'] as const;
export type Spread = (typeof SPREADS)[number];

/** Least confidence at which a tier answers with a label; undefined: whatever it says is taken. */
export function leastConfidence(
  { acceptAt, acceptAtByLabel }: Pick<Tier, 'acceptAt' | 'acceptAtByLabel'>,
  label: string | undefined,
): number | undefined {
  if (acceptAtByLabel === undefined) return acceptAt;
  return label !== undefined && Object.hasOwn(acceptAtByLabel, label) ? acceptAtByLabel[label] : NEVER;
}

/** No confidence reaches it. */
const NEVER = 2;

/** Every model that a tier may ask, its own first, then what stands in for it. */
export function modelsOfTier({ fallbacks = [], ...tier }: Tier): readonly [ModelSpec, ...ModelSpec[]] {
  return [...hostsOf(tier), ...fallbacks];
}

/** The tier's own model at each of its hosts. */
export function hostsOf({ model, hosts = [] }: Pick<Tier, 'model' | 'hosts'>): readonly [ModelSpec, ...ModelSpec[]] {
  return [model, ...hosts];
}

/** What a workflow and its tiers say to models besides the document, in which an answer may be found as well. */
export function instructionsOf({ instructions, cascade }: WorkflowSpec): string {
  const told = [instructions, ...cascade.flatMap(modelsOfTier).map((model) => model.instructions)];
  return [...new Set(told)].filter((text) => text !== undefined).join('\n');
}

export interface Label {
  readonly label: string;
  readonly description: string;
}

interface WorkflowBase {
  readonly name: string;
  /** Cheapest first, at least one. */
  readonly cascade: readonly Tier[];
  readonly instructions?: string;
  /** Its documents only go to models that run locally. Absent: no. */
  readonly private?: boolean;
  /** Use and fill the answer cache across batches. Absent: no. */
  readonly cache?: boolean;
  /** Nano-dollars that one document may cost. Absent: what it takes. */
  readonly documentLimit?: NanoUsd;
  /**
   * From this share of any limit on, 0 to 1, the last tier is not asked any more: what the tiers before it answer is
   * taken, whatever its confidence, and the row says `degraded`. Absent: never.
   */
  readonly drainAt?: number;
  /** What rows say besides the answer. Absent: `attempts` where two paid tiers may be asked. */
  readonly rows?: { readonly attempts: boolean };
  /** Share of the answers that a tier before the last one may give, 0 to 1, whose document is asked of the last tier too. Absent: 0. */
  readonly audit?: number;
  /** Which tier each document begins at. Absent: the first one. */
  readonly route?: RouteSpec;
  /** What may take the cascade's place, compared with it on a share of the documents. Absent: nothing. */
  readonly candidate?: CandidateSpec;
  /** The calibration that the cascade's thresholds come from. Absent: none. */
  readonly calibration?: CalibrationRef;
  /** What a finished batch is put together to. Absent: nothing. */
  readonly digest?: DigestRules;
  /** How a long document is cut. Absent: only where it does not fit, without overlap, and every part must succeed. */
  readonly parts?: PartRules;
}

/** Another cascade, or the same with other instructions. */
export interface CandidateSpec {
  readonly cascade: readonly Tier[];
  /** In place of the workflow's. Absent: the workflow's. */
  readonly instructions?: string;
  /** Of the documents, 0 to 1. */
  readonly share: number;
  /** `shadow`: rows have the answers of what is in force; `split`: in the share, the candidate's. */
  readonly mode: 'shadow' | 'split';
  /** It is stopped when it is right less often by more than this, 0 to 1. */
  readonly margin: number;
}

/** Which tier each document begins at; tiers are named by their model. `otherwise`: where nothing else is said; absent: the first one. */
export type RouteSpec = (RulesRoute | AskedRoute) & { readonly otherwise?: string };

export interface RulesRoute {
  readonly by: 'rules';
  /** The first one that holds decides. */
  readonly rules: readonly RouteRule[];
}

/** A kind of document is asked for, and each kind has its tier. */
export interface AskedRoute {
  readonly by: 'local' | 'model';
  /** Who is asked: the built-in model, or another one. */
  readonly tier: Tier;
  readonly kinds: Pick<ClassifyWorkflow, 'labels' | 'examples' | 'fallbackLabel'>;
  /** By kind. One that is not here begins at `otherwise`. */
  readonly start: Readonly<Record<string, string>>;
  /** Least confidence at which the answer counts. Absent: any. */
  readonly acceptAt?: number;
}

/** It holds where all that it names holds. */
export interface RouteRule {
  readonly tokens?: RouteRange;
  readonly characters?: RouteRange;
  /** Codes such as `de`. */
  readonly languages?: readonly string[];
  /** Values that a field may have, as text. */
  readonly metadata?: Readonly<Record<string, readonly string[]>>;
  /** The text has one of these. */
  readonly has?: readonly SoughtText[];
  readonly start: string;
}

export interface RouteRange {
  readonly above?: number;
  readonly atMost?: number;
}

/**
 * The tiers of a workflow, then those of its candidate, then the one that is asked where documents begin: the index of a
 * tier is its place here.
 */
export function allTiers({ cascade, candidate, route }: RoutedTiers): readonly Tier[] {
  const asked = route === undefined || route.by === 'rules' ? [] : [route.tier];
  return candidate === undefined && asked.length === 0
    ? cascade
    : [...cascade, ...(candidate?.cascade ?? []), ...asked];
}

/** What a tier of {@link allTiers} is for. */
export type TierPart = 'cascade' | 'candidate' | 'route';

export function partOfTier({ cascade, candidate }: RoutedTiers, tier: number): TierPart {
  if (tier < cascade.length) return 'cascade';
  return tier < cascade.length + (candidate?.cascade.length ?? 0) ? 'candidate' : 'route';
}

/** Those of `powered` that a workflow may ask, by name. */
export function poweredProviders(workflow: RoutedTiers, powered: ReadonlySet<string>): readonly string[] {
  const names = allTiers(workflow)
    .flatMap(modelsOfTier)
    .map(({ provider }) => provider);
  return [...new Set(names)].filter((name) => powered.has(name)).sort();
}

/** What a workflow's tiers are known by. */
export type RoutedTiers = Pick<WorkflowBase, 'cascade' | 'candidate' | 'route'>;

/** What a batch remembers of the calibration behind its thresholds. */
export interface CalibrationRef {
  readonly target: number;
  readonly delta: number;
  readonly metric: string;
  /** ISO 8601. */
  readonly calibratedAt: string;
  readonly sha256: string;
  /** Why the strongest model answers everything. */
  readonly fallback?: string;
}

export interface DigestRules {
  /** One text for each label as well, or one over all documents alone. */
  readonly by: 'label' | 'all';
  /** Of the whole; that of a label has half of them. */
  readonly maxWords: number;
}

export interface PartRules {
  /** Most tokens of a part; a longer document is answered in parts even where a window would hold it. */
  readonly maxTokens?: number;
  /** Tokens of the part before that each part is shown as context. Absent: 0. */
  readonly overlapTokens?: number;
  /** Share of a document's tokens, 0 to 1, whose parts may fail; the row lists them. Absent: 0. */
  readonly mayFail?: number;
}

export interface ClassifyWorkflow extends WorkflowBase {
  readonly task: 'classify';
  readonly labels: readonly Label[];
  readonly examples: readonly { readonly text: string; readonly label: string }[];
  /** The label that the local model gives a text that no other fits. Absent: one that is called so, e.g. `other`, if there is one. */
  readonly fallbackLabel?: string;
}

export interface SummarizeWorkflow extends WorkflowBase {
  readonly task: 'summarize';
  /** Absent: only the shape of a summary is checked. */
  readonly checks?: ReplyChecks;
  readonly summary: {
    readonly maxWords: number;
    readonly language?: string;
    /** Rows say from which parts of the document each sentence comes. Absent: no. */
    readonly provenance?: boolean;
  };
}

export interface ExtractWorkflow extends WorkflowBase {
  readonly task: 'extract';
  readonly extract: {
    readonly fields: ObjectSchema;
    /** Paths of fields whose values stand in the document, e.g. `lines.description`. Absent: none. */
    readonly mustOccur?: readonly string[];
    /** A value that does not occur fails a document at the last tier. Absent: its row has it as a warning. */
    readonly failsOnDoubt?: boolean;
    /** Rows do not say where each value is. Absent: they do. */
    readonly withoutSources?: boolean;
    /** Tokens that a reply may have. Absent: guessed from the fields. */
    readonly maxTokens?: number;
  };
}

/** Each document is the JSON of a whole chat request. */
export interface ChatWorkflow extends WorkflowBase {
  readonly task: 'chat';
  /** `maxTokens`: of a reply whose request names no limit. Absent: the model's most. */
  readonly chat?: { readonly maxTokens: number };
}

/** The part of JSON Schema that fields are described in. Each value may also be null where `nullable` says so. */
export type FieldSchema = ObjectSchema | ArraySchema | ScalarSchema;

interface FieldBase {
  readonly description?: string;
  readonly nullable?: true;
}

export interface ObjectSchema extends FieldBase {
  readonly type: 'object';
  /** In the order of the config. */
  readonly properties: Readonly<Record<string, FieldSchema>>;
  readonly required: readonly string[];
}

export interface ArraySchema extends FieldBase {
  readonly type: 'array';
  readonly items: FieldSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
}

export interface ScalarSchema extends FieldBase {
  readonly type: 'string' | 'number' | 'integer' | 'boolean';
  readonly enum?: readonly (string | number)[];
  readonly format?: string;
  /** Bounded, as `patternProblem` wants it; found anywhere in the value. */
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** What happens to each document of a batch. Stored with the batch, so that a later config edit cannot change it. */
export type WorkflowSpec = ChatWorkflow | ClassifyWorkflow | ExtractWorkflow | SummarizeWorkflow;

/** Whether each row says what every tier has answered. */
export function keepsAttempts({ rows, cascade }: WorkflowSpec): boolean {
  return rows?.attempts ?? cascade.filter(({ model }) => model.name !== LOCAL_MODEL_NAME).length > 1;
}

/** Limits in nano-dollars; absent: none. */
export interface WorkflowBudget {
  readonly batch?: NanoUsd;
  readonly day?: NanoUsd;
  readonly month?: NanoUsd;
}

/** What the workflow chooses among; empty where it chooses nothing. */
export function labelsOf(spec: WorkflowSpec): readonly string[] {
  return 'labels' in spec ? spec.labels.map(({ label }) => label) : [];
}
