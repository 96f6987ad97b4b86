import type { ModelTotals } from '../batches/model-totals.ts';
import { usdToNano } from '../money/money.ts';
import { numberText, parseJsonExactly } from '../text/json-value.ts';
import type { Manifest, ManifestFile, ManifestRetry } from './manifest.ts';

type Written = Readonly<Record<string, unknown>> & {
  readonly documents: Manifest['documents'];
  readonly files: readonly ManifestFile[];
  readonly cost: {
    readonly byModel: readonly (Omit<ModelTotals, 'cost'> & {
      readonly acceptedShare: number;
      readonly costUsd: unknown;
    })[];
    readonly uncertain: {
      readonly list: readonly (Omit<Manifest['uncertain'][number], 'cost'> & { readonly costUsd: unknown })[];
    };
    readonly reused: {
      readonly duplicates: number;
      readonly cachedCalls: number;
      readonly earlierDocuments?: number;
      readonly savedUsd: unknown;
    };
    readonly strongestAlone?: { readonly model: string; readonly costUsd: unknown };
  };
  readonly rejections: Readonly<Record<string, { readonly count: number; readonly costUsd: unknown }>>;
  readonly retries?: readonly (Omit<ManifestRetry, 'cost' | 'uncertainCost'> & {
    readonly costUsd: unknown;
    readonly uncertainUsd: unknown;
  })[];
};

/** A manifest as `formatManifest` has written it, back in nano-dollars. */
export function readManifest(text: string, isOutput: (key: string) => boolean): Manifest {
  const written = parseJsonExactly(text) as Written;
  const { batch, costUsd, uncertainUsd, files, cost, rejections, retries, schemaVersion: _, ...same } = written;
  return {
    ...(same as unknown as Manifest),
    batchId: batch as string,
    results: files.filter(({ key }) => isOutput(key)),
    errors: files.filter(({ key }) => !isOutput(key)),
    models: cost.byModel.map(({ costUsd: usd, acceptedShare: _share, ...model }) => ({
      ...model,
      cost: nano(usd),
      ...latencyOf(model),
    })),
    rejections: Object.fromEntries(
      Object.entries(rejections).map(([code, { count, costUsd: usd }]) => [code, { count, cost: nano(usd) }]),
    ),
    cost: nano(costUsd),
    uncertain: cost.uncertain.list.map(({ costUsd: usd, ...call }) => ({ ...call, cost: nano(usd) })),
    uncertainCost: nano(uncertainUsd),
    reused: {
      duplicates: cost.reused.duplicates,
      cached: cost.reused.cachedCalls,
      earlier: cost.reused.earlierDocuments ?? 0,
      saved: nano(cost.reused.savedUsd),
    },
    ...(cost.strongestAlone === undefined
      ? {}
      : { strongest: { model: cost.strongestAlone.model, cost: nano(cost.strongestAlone.costUsd) } }),
    ...(retries === undefined
      ? {}
      : {
          retries: retries.map(({ costUsd: usd, uncertainUsd: unsure, ...retry }) => ({
            ...retry,
            cost: nano(usd),
            uncertainCost: nano(unsure),
          })),
        }),
  };
}

function nano(usd: unknown): number {
  return usdToNano(numberText(usd));
}

/** The figures beside it are those of the sketch. */
function latencyOf({ latency }: Pick<ModelTotals, 'latency'>): Pick<ModelTotals, 'latency'> {
  if (latency === undefined) return {};
  const { calls, ms, outputTokens, sketch } = latency;
  return { latency: { calls, ms, outputTokens, sketch } };
}
