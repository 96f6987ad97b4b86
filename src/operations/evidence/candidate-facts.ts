import type { Config } from '../../../config/config.ts';
import type { App } from '../../app.ts';
import type { Evaluation } from '../../evaluation/evaluation.ts';
import { hostMinutes } from '../../plans/host-minutes.ts';
import { measuredFacts } from '../../plans/measured-facts.ts';
import { LOCAL_DOCUMENTS_PER_MINUTE } from '../../plans/plan-batch.ts';
import { readManifestBytes } from '../../results/result-files.ts';
import type { CandidateFacts, DataPromise, Requirements } from '../../workflows/requirements.ts';
import { LOCAL_MODEL_NAME, type ModelSpec, modelsOfTier, type WorkflowSpec } from '../../workflows/workflow.ts';
import { throughputOf } from '../plan-documents.ts';

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

/** Hours that the documents of a night take in one process at the quota; undefined: nobody has said how many there are. */
export function nightHours(
  config: Pick<Config, 'providers' | 'pools'>,
  spec: WorkflowSpec,
  { documentsPerNight: documents }: Requirements,
  load: DocumentLoad,
  callSeconds?: number,
): number | undefined {
  if (documents === undefined) return undefined;
  const amount = {
    calls: load.calls * documents,
    inputTokens: load.inputTokens * documents,
    outputTokens: load.outputTokens * documents,
  };
  const paid = hostMinutes(amount, throughputOf(config, spec, callSeconds));
  const hasLocal = spec.cascade.some(({ model }) => model.name === LOCAL_MODEL_NAME);
  return (paid + (hasLocal ? documents / LOCAL_DOCUMENTS_PER_MINUTE : 0)) / 60;
}

/** What a candidate's evaluation and the config say about the requirements of its workflow. */
export async function evaluatedFacts(
  app: Pick<App, 'store' | 'config'>,
  spec: WorkflowSpec,
  requirements: Requirements,
  evaluation: Evaluation,
  alpha: number,
): Promise<CandidateFacts> {
  const { usage, cost } = JSON.parse(Buffer.from(await readManifestBytes(app.store, evaluation.run)).toString()) as {
    readonly usage: { readonly inputTokens: number; readonly outputTokens: number };
    readonly cost: { readonly byModel: readonly { readonly model: string; readonly calls: number }[] };
  };
  const paid = cost.byModel.filter(({ model }) => model !== LOCAL_MODEL_NAME);
  const documents = Math.max(1, evaluation.documents);
  const load = {
    calls: paid.reduce((sum, { calls }) => sum + calls, 0) / documents,
    inputTokens: usage.inputTokens / documents,
    outputTokens: usage.outputTokens / documents,
  };
  const median = evaluation.latencyMs?.median ?? 0;
  const hours = nightHours(app.config, spec, requirements, load, median > 0 ? median / 1_000 : undefined);
  return {
    ...configFacts(app.config, spec),
    ...measuredFacts(evaluation, { metric: requirements.minQuality?.metric, alpha, seed: 1 }),
    ...(hours === undefined ? {} : { hours }),
  };
}
