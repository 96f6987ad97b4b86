import type { ModelTotals } from '../batches/model-totals.ts';
import { usdToNano } from '../money/money.ts';
import type { TokenPrice } from '../money/price.ts';
import type { ProviderTime } from '../providers/power-book.ts';
import { numberText, parseJsonExactly } from '../text/json-value.ts';
import type { Manifest, ManifestFile, ManifestModel, ManifestRetry } from './manifest.ts';

type WrittenCodes = Readonly<Record<string, { readonly count: number; readonly costUsd: unknown }>>;

type Written = Readonly<Record<string, unknown>> & {
  readonly documents: Manifest['documents'];
  readonly files: readonly ManifestFile[];
  readonly cost: {
    readonly byModel: readonly (Omit<ModelTotals, 'cost'> & {
      readonly acceptedShare: number;
      readonly costNanoUsd?: unknown;
      readonly usdPer1000Answered?: unknown;
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
    readonly strongestAlone?: { readonly model: string; readonly costUsd: unknown; readonly basis?: string };
    readonly dearest?: readonly { readonly id: string; readonly costUsd: unknown }[];
    readonly instructionsShare?: number;
    readonly power?: readonly { readonly provider: string; readonly seconds: unknown; readonly costUsd: unknown }[];
  };
  readonly limitsUsd?: Readonly<Record<string, unknown>>;
  readonly cascade?: readonly (Omit<ManifestModel, 'price'> & { readonly price?: Readonly<Record<string, unknown>> })[];
  readonly escalations?: WrittenCodes;
  readonly rejections: WrittenCodes;
  readonly retries?: readonly (Omit<ManifestRetry, 'cost' | 'uncertainCost'> & {
    readonly costUsd: unknown;
    readonly uncertainUsd: unknown;
  })[];
};

/** A manifest as `formatManifest` has written it, back in nano-dollars. */
export function readManifest(text: string, isOutput: (key: string) => boolean): Manifest {
  const written = parseJsonExactly(text) as Written;
  const { batch, costUsd, uncertainUsd, files, cost, rejections, retries, schemaVersion: _, ...rest } = written;
  const { costNanoUsd: _cost, limitsUsd, cascade, escalations, ...same } = rest;
  return {
    ...(same as unknown as Manifest),
    batchId: batch as string,
    results: files.filter(({ key }) => isOutput(key)),
    errors: files.filter(({ key }) => !isOutput(key)),
    models: cost.byModel.map(
      ({ costUsd: usd, costNanoUsd: _nano, usdPer1000Answered: _per, acceptedShare: _share, ...model }) => ({
        ...model,
        cost: nano(usd),
        ...latencyOf(model),
      }),
    ),
    rejections: readCodes(rejections),
    ...(escalations === undefined ? {} : { escalations: readCodes(escalations) }),
    ...(limitsUsd === undefined ? {} : { limits: mapValues(limitsUsd, nano) }),
    ...(cascade === undefined ? {} : { cascade: cascade.map(readModel) }),
    ...(cost.dearest === undefined
      ? {}
      : { dearest: cost.dearest.map(({ id, costUsd: usd }) => ({ id, cost: nano(usd) })) }),
    ...(cost.instructionsShare === undefined ? {} : { instructionsShare: cost.instructionsShare }),
    ...(cost.power === undefined ? {} : { power: cost.power.map(readPower) }),
    cost: nano(costUsd),
    uncertain: cost.uncertain.list.map(({ costUsd: usd, ...call }) => ({ ...call, cost: nano(usd) })),
    uncertainCost: nano(uncertainUsd),
    reused: {
      duplicates: cost.reused.duplicates,
      cached: cost.reused.cachedCalls,
      earlier: cost.reused.earlierDocuments ?? 0,
      saved: nano(cost.reused.savedUsd),
    },
    ...(cost.strongestAlone === undefined ? {} : { strongest: readStrongest(cost.strongestAlone) }),
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

function readPower({ provider, seconds, costUsd }: NonNullable<Written['cost']['power']>[number]): ProviderTime {
  const ms = Math.round(Number(numberText(seconds)) * 1000);
  return costUsd === null ? { provider, ms } : { provider, ms, cost: nano(costUsd) };
}

function readCodes(codes: WrittenCodes): Manifest['rejections'] {
  return mapValues(codes, ({ count, costUsd }) => ({ count, cost: nano(costUsd) }));
}

function readStrongest({
  costUsd,
  ...strongest
}: NonNullable<Written['cost']['strongestAlone']>): NonNullable<Manifest['strongest']> {
  return { ...strongest, cost: nano(costUsd) };
}

function readModel({ price, ...model }: NonNullable<Written['cascade']>[number]): ManifestModel {
  return price === undefined ? model : { ...model, price: readRates(price) as unknown as TokenPrice };
}

function readRates(rates: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(rates).map(([name, value]) => {
      if (Array.isArray(value)) return [name, value.map(readRates)];
      return [name, name.endsWith('PerMillion') ? nano(value) : value];
    }),
  );
}

function mapValues<T, R>(record: Readonly<Record<string, T>>, map: (value: T) => R): Readonly<Record<string, R>> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}

function nano(usd: unknown): number {
  return usdToNano(numberText(usd));
}

/** The figures beside it are those of the sketch. */
function latencyOf({ latency }: Pick<ModelTotals, 'latency'>): Pick<ModelTotals, 'latency'> {
  if (latency === undefined) return {};
  const { calls, ms, outputTokens, sketch, firstByte } = latency;
  return {
    latency: {
      calls,
      ms,
      outputTokens,
      sketch,
      ...(firstByte === undefined ? {} : { firstByte: { calls: firstByte.calls, sketch: firstByte.sketch } }),
    },
  };
}
