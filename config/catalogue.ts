import { usdToNano } from '../src/money/money.ts';
import type { TokenPrice, TokenRates } from '../src/money/price.ts';
import catalogueFile from './prices/catalogue.json' with { type: 'json' };

/** Decimal dollars per million tokens. */
export interface CatalogueRates {
  readonly input: string;
  /** Absent: as `input`. */
  readonly cachedRead?: string;
  /** Absent: as `input`. */
  readonly cacheWrite?: string;
  readonly output: string;
  /** Absent: as `output`. */
  readonly reasoning?: string;
}

export interface CatalogueEntry extends CatalogueRates {
  readonly longContext?: readonly (CatalogueRates & { readonly aboveInputTokens: number })[];
  /** The price depends on the hour, or another is announced: these are the dearest rates of all of them. */
  readonly varies?: boolean;
}

export interface CatalogueProvider {
  /** Host names of its own API; the same models cost something else elsewhere. */
  readonly hosts: readonly string[];
  /** What is paid of these prices for another kind of service: the figure for `discount` in a model's price. */
  readonly multipliers?: Readonly<Record<string, string>>;
  readonly models: Readonly<Record<string, CatalogueEntry>>;
}

/** `config/prices/catalogue.json`, written by `scripts/update-prices.ts`. */
export interface Catalogue {
  /** The day of the prices. */
  readonly asOf: string;
  readonly source: string;
  readonly unit: string;
  readonly providers: Readonly<Record<string, CatalogueProvider>>;
}

const catalogue: Catalogue = catalogueFile;
const MOST_NEAR_MISSES = 3;

/**
 * The listed price of a model at a provider's own API. The id must be listed exactly: a longer or shorter name may be
 * another model at another price. Undefined for every other host, one's own servers and resellers included.
 *
 * @param baseUrl as in the config, e.g. `https://api.openai.com/v1`
 */
export function cataloguePrice(baseUrl: string, modelId: string): TokenPrice | undefined {
  const models = modelsAt(baseUrl);
  if (models === undefined || !Object.hasOwn(models, modelId)) return undefined;
  const entry = models[modelId];
  return entry === undefined ? undefined : entryPrice(entry);
}

/**
 * A sentence for people whose model has no listed price although a similar name has one, e.g. an alias of it.
 * Undefined where nothing is similar.
 */
export function catalogueHint(baseUrl: string, modelId: string): string | undefined {
  const models = modelsAt(baseUrl) ?? {};
  const near = Object.entries(models)
    .filter(([id]) => id !== modelId && (continues(id, modelId) || continues(modelId, id)))
    .sort(([a], [b]) => Math.abs(a.length - modelId.length) - Math.abs(b.length - modelId.length))
    .slice(0, MOST_NEAR_MISSES)
    .map(([id, { input, output }]) => `${id} ($${input} in, $${output} out)`);
  if (near.length === 0) return undefined;
  return `The price catalogue of ${catalogue.asOf} does not list this id; it lists, per million tokens, ${near.join(', ')}, which may cost something else.`;
}

export function entryPrice(entry: CatalogueEntry): TokenPrice {
  return {
    ...tokenRates(entry),
    ...(entry.longContext === undefined
      ? {}
      : {
          longContext: entry.longContext.map(({ aboveInputTokens, ...rates }) => ({
            aboveInputTokens,
            ...tokenRates(rates),
          })),
        }),
  };
}

function tokenRates(rates: CatalogueRates): TokenRates {
  return {
    inputPerMillion: usdToNano(rates.input),
    cachedInputPerMillion: usdToNano(rates.cachedRead ?? rates.input),
    outputPerMillion: usdToNano(rates.output),
    ...(rates.cacheWrite === undefined ? {} : { cacheWritePerMillion: usdToNano(rates.cacheWrite) }),
    ...(rates.reasoning === undefined ? {} : { reasoningPerMillion: usdToNano(rates.reasoning) }),
  };
}

function modelsAt(baseUrl: string): CatalogueProvider['models'] | undefined {
  const { hostname } = new URL(baseUrl);
  return Object.values(catalogue.providers).find(({ hosts }) => hosts.includes(hostname))?.models;
}

/** `gpt-4o` is continued by `gpt-4o-2024-08-06`, not by `gpt-4omni`. */
function continues(start: string, id: string): boolean {
  return id.startsWith(start) && /^[^A-Za-z0-9]/.test(id.slice(start.length));
}
