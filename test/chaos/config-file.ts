import { NANO_PER_USD, type NanoUsd } from '../../src/money/money.ts';
import type { FaultName } from './faults.ts';
import type { Scenario } from './scenario.ts';
import { SCHEDULED } from './schedule.ts';

/** USD per million tokens. The dear tier costs half as much again, so that no single call is a large part of a limit. */
const SMALL_PRICE = { inputPerMillion: 1, outputPerMillion: 2 };
const LARGE_PRICE = { inputPerMillion: 1.5, outputPerMillion: 3 };
/** So little that a document of the digest is summarized in parts. */
const DIGEST_CONTEXT_TOKENS = 1_500;

const MODELS = {
  small: { id: 'small-2026-01-01', price: SMALL_PRICE, contextTokens: 32_768 },
  large: { id: 'large-2026-01-01', price: LARGE_PRICE, contextTokens: 32_768 },
  'digest-small': { id: 'digest-small-2026-01-01', price: SMALL_PRICE, contextTokens: DIGEST_CONTEXT_TOKENS },
  'digest-large': { id: 'digest-large-2026-01-01', price: LARGE_PRICE, contextTokens: DIGEST_CONTEXT_TOKENS },
} as const;

const LOCK_SECONDS = 2;

/** Low enough that calls wait for it now and then. */
const QUOTA = { requestsPerMinute: 1_200, inputTokensPerMinute: 400_000 };

/** What the simulator is started with. */
export function simulatorOptions(scenario: Scenario, billFile: string) {
  return {
    seed: scenario.seed,
    billFile,
    faults: scenario.faults,
    models: Object.fromEntries(
      Object.values(MODELS).map(({ id, price, contextTokens }) => [
        id,
        { price, contextTokens, latency: scenario.latency, maxOutputTokens: Math.min(4_096, contextTokens) },
      ]),
    ),
  };
}

export interface Places {
  readonly redis: string;
  /** As the config names it. */
  readonly store: string;
  readonly s3?: object;
  readonly baseUrl: string;
  readonly timezone: string;
  /** Where the scheduled workflow finds its files. */
  readonly inbox: string;
}

/** The workers' configuration; JSON is YAML. A batch's limit stands in no config: it comes with the batch. */
export function configFile(scenario: Scenario, places: Places, limit: NanoUsd | undefined): string {
  const day = limit === undefined ? {} : { day: limit / NANO_PER_USD };
  const { redis, store, s3, baseUrl, timezone } = places;
  const uses = (feature: FaultName) => scenario.clusterFaults.includes(feature);
  const triage = {
    task: 'classify',
    labels: {
      billing: 'Questions about an invoice, a payment or a refund',
      bug: 'A crash or an error',
      other: 'Anything else',
    },
    cascade: [
      { model: 'small', acceptAt: scenario.acceptAt, ...(uses('fallback') ? { fallback: ['spare'] } : {}) },
      { model: 'large' },
    ],
    ...(uses('cache') ? { cache: true } : {}),
    ...(uses('drain') ? { drainAt: 0.8 } : {}),
    ...(uses('digest') ? { digest: { by: 'label', maxWords: 40 } } : {}),
    ...(uses('candidate') ? { candidate: { model: 'large', share: 0.2, mode: 'shadow' } } : {}),
    timezone,
    ...(scenario.limited === 'workflow' ? { budget: day } : {}),
  };
  return `${JSON.stringify(
    {
      redis,
      store,
      ...(s3 === undefined ? {} : { s3 }),
      timezone,
      providers: {
        simulator: {
          kind: 'openai',
          baseUrl,
          timeoutSeconds: scenario.timeoutSeconds,
          limits: { concurrency: scenario.concurrency, ...(uses('quota') ? QUOTA : {}) },
          ...(uses('canary') ? { canary: { every: '1m', model: 'small' } } : {}),
          ...(uses('power') ? { power: { start: ['true'], ready: `${baseUrl}/models`, stop: ['true'] } } : {}),
        },
        // The same server under another name: trouble of the one is not trouble of the other.
        ...(uses('fallback') ? { spare: { kind: 'openai', baseUrl, limits: { concurrency: 2 } } } : {}),
      },
      models: {
        ...Object.fromEntries(
          Object.entries(MODELS).map(([name, model]) => [
            name,
            { provider: 'simulator', ...model, maxOutputTokens: 1_024 },
          ]),
        ),
        ...(uses('fallback') ? { spare: { provider: 'spare', ...MODELS.small, maxOutputTokens: 1_024 } } : {}),
      },
      workflows: {
        triage,
        ...(uses('scheduler-kill')
          ? {
              [SCHEDULED]: {
                ...triage,
                budget: undefined,
                schedule: { cron: '* * * * *', timezone, input: places.inbox, catchUp: 'all' },
              },
            }
          : {}),
        digest: {
          task: 'summarize',
          summary: { maxWords: 30 },
          cascade: [{ model: 'digest-small' }, { model: 'digest-large' }],
          timezone,
        },
      },
      ...(scenario.limited === 'global' ? { budget: day } : {}),
      ingest: { sliceDocuments: scenario.sliceDocuments },
      worker: {
        slices: scenario.slices,
        lockSeconds: LOCK_SECONDS,
        shutdownGraceSeconds: 5,
        maxCallAttempts: scenario.maxCallAttempts,
      },
    },
    null,
    2,
  )}\n`;
}
