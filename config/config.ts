import type { NanoUsd } from '../src/domain/money.ts';
import type { WorkflowBudget, WorkflowSpec } from '../src/domain/workflow.ts';

/** One provider endpoint with its secret. */
export interface ProviderConfig {
  readonly name: string;
  readonly kind: 'openai';
  readonly baseUrl: string;
  readonly apiKey?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly maxTokensField: 'max_tokens' | 'max_completion_tokens';
  readonly limits: {
    readonly requestsPerMinute?: number;
    readonly tokensPerMinute?: number;
    readonly inputTokensPerMinute?: number;
    readonly outputTokensPerMinute?: number;
    readonly concurrency: number;
  };
}

/** Who is told of alerts. URL and token are secrets. */
export type WebhookConfig =
  | { readonly kind: 'generic' | 'slack' | 'discord'; readonly url: string }
  | { readonly kind: 'telegram'; readonly token: string; readonly chatId: string; readonly baseUrl: string };

export interface Schedule {
  readonly cron: string;
  readonly timezone: string;
  readonly input: string;
}

export interface WorkflowConfig {
  readonly spec: WorkflowSpec;
  readonly budget: WorkflowBudget;
  readonly timezone: string;
  readonly schedule?: Schedule;
}

/** The complete, checked settings: every default filled in, money in nano-dollars, time in milliseconds. */
export interface Config {
  /** Where it came from; absent: the embedded defaults. */
  readonly file?: string;
  /** Absolute path of `.nightmill` in the working folder: embedded Redis, file store, temporary files. */
  readonly folder: string;
  /** Absent: the embedded server in `folder`. */
  readonly redisUrl?: string;
  readonly redisPrefix: string;
  readonly store: {
    /** `file:/absolute/path` or `s3://bucket/prefix`. */
    readonly url: string;
    readonly endpoint?: string;
    readonly region: string;
    readonly forcePathStyle: boolean;
    readonly accessKeyId?: string;
    readonly secretAccessKey?: string;
  };
  readonly providers: ReadonlyMap<string, ProviderConfig>;
  readonly workflows: ReadonlyMap<string, WorkflowConfig>;
  readonly budget: { readonly day?: NanoUsd; readonly month?: NanoUsd };
  readonly tenants: ReadonlyMap<string, { readonly day?: NanoUsd }>;
  readonly timezone: string;
  readonly alerts: { readonly webhooks: readonly WebhookConfig[] };
  readonly ingest: { readonly maxLineBytes: number; readonly sliceDocuments: number; readonly sliceTokens: number };
  readonly worker: {
    readonly slices: number;
    readonly lockMs: number;
    readonly shutdownGraceMs: number;
    readonly maxCallAttempts: number;
    readonly providerPatienceMs: number;
  };
}
