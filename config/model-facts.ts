import type { ListedModel } from './catalogue.ts';
import { statedPrice } from './model-price.ts';
import type { RawConfig } from './schema.ts';

type RawModel = RawConfig['models'][string];

/** What is taken where neither the config nor the catalogue says how much a model holds. */
const UNKNOWN_CONTEXT_TOKENS = 32_768;
const UNKNOWN_OUTPUT_TOKENS = 4096;

/** Where the figures of a model come from, for people who ask. */
export interface ModelFacts {
  /** `family`: the catalogue has no line for this snapshot, but one for its family. */
  readonly price: 'config' | 'catalogue' | 'family' | 'none';
  /** `assumed`: nobody has said it. */
  readonly window: 'config' | 'catalogue' | 'assumed';
  readonly cap: 'config' | 'catalogue' | 'assumed';
  /** The day of the listed price. */
  readonly priceAsOf?: string;
  readonly family?: string;
  /** The day from which on its provider does not serve it any more. */
  readonly withdrawn?: string;
}

export function factsOf(model: RawModel, listed: ListedModel | undefined): ModelFacts {
  const stated = model.price !== undefined && statedPrice(model.price) !== undefined;
  const { entry, family, asOf } = listed ?? {};
  return {
    price: stated ? 'config' : listed === undefined ? 'none' : family === undefined ? 'catalogue' : 'family',
    window: model.contextTokens !== undefined ? 'config' : entry?.contextTokens === undefined ? 'assumed' : 'catalogue',
    cap:
      model.maxOutputTokens !== undefined ? 'config' : entry?.maxOutputTokens === undefined ? 'assumed' : 'catalogue',
    ...(stated || asOf === undefined ? {} : { priceAsOf: asOf }),
    ...(family === undefined ? {} : { family }),
    ...(entry?.withdrawn === undefined ? {} : { withdrawn: entry.withdrawn }),
  };
}

/** How much a model holds: as the config says, else the catalogue, else what nearly every model can do. */
export function windowOf(
  model: Pick<RawModel, 'contextTokens' | 'maxOutputTokens'>,
  listed: ListedModel | undefined,
): { readonly contextTokens: number; readonly maxOutputTokens: number } {
  const contextTokens = model.contextTokens ?? listed?.entry.contextTokens ?? UNKNOWN_CONTEXT_TOKENS;
  // A cap that the catalogue lists may be the whole window: then there must be room left for the document.
  const cap = Math.min(listed?.entry.maxOutputTokens ?? UNKNOWN_OUTPUT_TOKENS, Math.floor(contextTokens / 2));
  return { contextTokens, maxOutputTokens: model.maxOutputTokens ?? cap };
}
