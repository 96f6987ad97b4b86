import { usdToNano } from '../src/money/money.ts';
import type { TokenPrice, TokenRates } from '../src/money/price.ts';
import catalogueFile from './prices/catalogue.json' with { type: 'json' };
import { familyOf } from './snapshot.ts';

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

/** What a model cost before. */
export interface PastPrice extends CatalogueRates {
  /** The first day on which it was another price. */
  readonly until: string;
}

export interface CatalogueEntry extends CatalogueRates {
  /** Day of this price, where it is not that of its provider. */
  readonly asOf?: string;
  /** Input and output together. */
  readonly contextTokens?: number;
  /** Of one reply, its thinking included. */
  readonly maxOutputTokens?: number;
  /** The day from which on the provider does not serve it any more. */
  readonly withdrawn?: string;
  /** Latest first. */
  readonly history?: readonly PastPrice[];
  readonly longContext?: readonly (CatalogueRates & { readonly aboveInputTokens: number })[];
  /** The price depends on the hour, or another is announced: these are the dearest rates of all of them. */
  readonly varies?: boolean;
}

export interface CatalogueProvider {
  /** Host names of its own API; the same models cost something else elsewhere. */
  readonly hosts: readonly string[];
  /** What is paid of these prices for another kind of service: the figure for `discount` in a model's price. */
  readonly multipliers?: Readonly<Record<string, string>>;
  /** Day and source of its prices, where they are not those of the list. */
  readonly asOf?: string;
  readonly source?: string;
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

export const BUILT_IN_CATALOGUE: Catalogue = catalogueFile;
const MAX_NEAR_MISSES = 3;

/** What the catalogue knows about one model at one host. */
export interface ListedModel {
  readonly entry: CatalogueEntry;
  /** The day of its price. */
  readonly asOf: string;
  /** The id that is listed, where it is that of the family of a snapshot that is not. */
  readonly family?: string;
  /** What is paid of the price for another kind of service. */
  readonly multipliers?: CatalogueProvider['multipliers'];
}

/**
 * A model at a provider's own API. The id must be listed exactly, or be a dated snapshot of a listed one, which takes
 * its family's figures: a longer or shorter name may be another model at another price. Undefined for every other
 * host, self-hosted servers and resellers included.
 *
 * @param baseUrl as in the config, e.g. `https://api.openai.com/v1`
 */
export function listedModel(
  baseUrl: string,
  modelId: string,
  list: Catalogue = BUILT_IN_CATALOGUE,
): ListedModel | undefined {
  const provider = providerAt(baseUrl, list);
  if (provider === undefined) return undefined;
  const service = provider.multipliers === undefined ? {} : { multipliers: provider.multipliers };
  const entry = entryAt(provider, modelId);
  if (entry !== undefined) return { entry, asOf: entryDay(entry, provider, list), ...service };
  const family = familyOf(modelId);
  const inFamily = family === undefined ? undefined : entryAt(provider, family);
  if (family === undefined || inFamily === undefined) return undefined;
  return { entry: inFamily, asOf: entryDay(inFamily, provider, list), family, ...service };
}

export function entryDay(entry: CatalogueEntry, provider: CatalogueProvider, list: Catalogue): string {
  return entry.asOf ?? provider.asOf ?? list.asOf;
}

/** The listed price of a model, see {@link listedModel}. */
export function cataloguePrice(
  baseUrl: string,
  modelId: string,
  list: Catalogue = BUILT_IN_CATALOGUE,
): TokenPrice | undefined {
  const listed = listedModel(baseUrl, modelId, list);
  return listed === undefined ? undefined : entryPrice(listed.entry);
}

/**
 * A sentence for people whose model has no listed price although a similar name has one, e.g. an alias of it.
 * Undefined where nothing is similar.
 */
export function catalogueHint(
  baseUrl: string,
  modelId: string,
  list: Catalogue = BUILT_IN_CATALOGUE,
): string | undefined {
  const models = providerAt(baseUrl, list)?.models ?? {};
  const near = Object.entries(models)
    .filter(([id]) => id !== modelId && (continues(id, modelId) || continues(modelId, id)))
    .sort(([a], [b]) => Math.abs(a.length - modelId.length) - Math.abs(b.length - modelId.length))
    .slice(0, MAX_NEAR_MISSES)
    .map(([id, { input, output }]) => `${id} ($${input} in, $${output} out)`);
  if (near.length === 0) return undefined;
  return `The price catalogue of ${list.asOf} does not list this id; it lists, per million tokens, ${near.join(', ')}, which may cost something else.`;
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

function providerAt(baseUrl: string, list: Catalogue): CatalogueProvider | undefined {
  const { hostname } = new URL(baseUrl);
  return Object.values(list.providers).find(({ hosts }) => hosts.includes(hostname));
}

function entryAt({ models }: CatalogueProvider, id: string): CatalogueEntry | undefined {
  return Object.hasOwn(models, id) ? models[id] : undefined;
}

/** `gpt-4o` is continued by `gpt-4o-2024-08-06`, not by `gpt-4omni`. */
function continues(start: string, id: string): boolean {
  return id.startsWith(start) && /^[^A-Za-z0-9]/.test(id.slice(start.length));
}
