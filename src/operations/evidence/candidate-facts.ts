import type { Config } from '../../../config/config.ts';
import type { App } from '../../app.ts';
import type { Evaluation } from '../../evaluation/evaluation.ts';
import { hostMinutes, LOCAL_DOCUMENTS_PER_MINUTE } from '../../plans/host-minutes.ts';
import { measuredFacts } from '../../plans/measured-facts.ts';
import { storeKeys } from '../../store/store-keys.ts';
import type { CandidateFacts, DataPromise, Requirements } from '../../workflows/requirements.ts';
import { LOCAL_MODEL_NAME, type ModelSpec, modelsOfTier, type WorkflowSpec } from '../../workflows/workflow.ts';
import { throughputOf } from '../figures/throughput.ts';

/** What calls of one document take together. */
export interface DocumentLoad {
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** What the config alone says of a cascade: its smallest window, and the weakest promise of its providers. */
export function configFacts(config: Pick<Config, 'providers'>, spec: WorkflowSpec): CandidateFacts {
  const models = spec.cascade.flatMap(modelsOfTier).filter(({ name }) => name !== LOCAL_MODEL_NAME);
  const promises = models.map((model) => promiseOf(config, model));
  const weakest = (['any', 'noTraining'] as const).find((promise) => promises.includes(promise)) ?? 'local';
  return {
    data: weakest,
    ...(models.length === 0 ? {} : { contextTokens: Math.min(...models.map(({ contextTokens }) => contextTokens)) }),
  };
}

function promiseOf({ providers }: Pick<Config, 'providers'>, { provider }: ModelSpec): DataPromise {
  const known = providers.get(provider);
  if (known?.isLocal === true) return 'local';
  return known?.noTraining === true ? 'noTraining' : 'any';
}

/**
 * Hours that the documents of a night take in one process at the quota; nothing where nobody has said how many there are.
 *
 * @param callSeconds that a call takes; undefined: not known, so that the quota alone says how long it takes at least
 */
export function nightHours(
  config: Pick<Config, 'providers' | 'pools'>,
  spec: WorkflowSpec,
  { documentsPerNight: documents }: Requirements,
  load: DocumentLoad,
  callSeconds: number | undefined,
): Pick<CandidateFacts, 'hours' | 'hoursAtLeast'> {
  if (documents === undefined) return {};
  const amount = {
    calls: load.calls * documents,
    inputTokens: load.inputTokens * documents,
    outputTokens: load.outputTokens * documents,
  };
  const hosts = throughputOf(config, spec, callSeconds ?? 0);
  const hasLocal = spec.cascade.some(({ model }) => model.name === LOCAL_MODEL_NAME);
  const hours = (hostMinutes(amount, hosts) + (hasLocal ? documents / LOCAL_DOCUMENTS_PER_MINUTE : 0)) / 60;
  return callSeconds === undefined && hosts.length > 0 ? { hoursAtLeast: hours } : { hours };
}

/**
 * What a candidate's evaluation and the config say about the requirements of its workflow.
 *
 * @param spec undefined: it is not known what has answered
 */
export async function evaluatedFacts(
  app: Pick<App, 'store' | 'config'>,
  spec: WorkflowSpec | undefined,
  requirements: Requirements,
  evaluation: Evaluation,
  alpha: number,
): Promise<CandidateFacts> {
  const measured = measuredFacts(evaluation, { metric: requirements.minQuality?.metric, alpha, seed: 1 });
  if (spec === undefined) return measured;
  const load = await loadOf(app, evaluation);
  const median = evaluation.latencyMs?.median ?? 0;
  const callSeconds = median > 0 ? median / 1_000 : undefined;
  const hours = load === undefined ? {} : nightHours(app.config, spec, requirements, load, callSeconds);
  return { ...configFacts(app.config, spec), ...measured, ...hours };
}

/** Of a document; undefined where the batch was deleted. */
async function loadOf(
  { store }: Pick<App, 'store'>,
  { run, documents }: Evaluation,
): Promise<DocumentLoad | undefined> {
  const bytes = await store.get(storeKeys.manifest(run));
  if (bytes === undefined) return undefined;
  const { usage, cost } = JSON.parse(Buffer.from(bytes).toString()) as {
    readonly usage: { readonly inputTokens: number; readonly outputTokens: number };
    readonly cost: { readonly byModel: readonly { readonly model: string; readonly calls: number }[] };
  };
  const paid = cost.byModel.filter(({ model }) => model !== LOCAL_MODEL_NAME);
  const each = Math.max(1, documents);
  return {
    calls: paid.reduce((sum, { calls }) => sum + calls, 0) / each,
    inputTokens: usage.inputTokens / each,
    outputTokens: usage.outputTokens / each,
  };
}
