import type { Catalogue, CatalogueEntry, PastPrice } from '../../config/catalogue.ts';
import { entryDay, entryPrice } from '../../config/catalogue.ts';
import type { NanoUsd } from '../money/money.ts';
import { mixCost, type RequestMix } from '../money/price-table.ts';

/** One line of the price list; rates are dollars per million tokens, as text. */
export interface PricedModel {
  readonly provider: string;
  readonly id: string;
  readonly input: string;
  readonly cachedRead?: string;
  readonly output: string;
  readonly asOf: string;
  readonly contextTokens?: number;
  readonly maxOutputTokens?: number;
  readonly withdrawn?: string;
  readonly history: readonly PastPrice[];
  /** Of the requests that were asked about; absent also where it is above 9 million dollars. */
  readonly cost?: NanoUsd;
}

/**
 * The lines of a price list.
 *
 * @param names only models and providers with one of these in their name; none: all
 */
export function pricedModels(list: Catalogue, names: readonly string[], mix?: RequestMix): readonly PricedModel[] {
  const wanted = names.map((name) => name.toLowerCase());
  const isWanted = (name: string) => wanted.length === 0 || wanted.some((part) => name.toLowerCase().includes(part));
  return Object.entries(list.providers).flatMap(([name, provider]) =>
    Object.entries(provider.models)
      .filter(([id]) => isWanted(`${name}/${id}`))
      .map(([id, entry]) => lineOf(name, id, entry, entryDay(entry, provider, list), mix)),
  );
}

function lineOf(provider: string, id: string, entry: CatalogueEntry, asOf: string, mix?: RequestMix): PricedModel {
  const cost = mix === undefined ? undefined : mixCost(entryPrice(entry), mix);
  const { input, cachedRead, output, contextTokens, maxOutputTokens, withdrawn, history = [] } = entry;
  return {
    provider,
    id,
    input,
    ...(cachedRead === undefined ? {} : { cachedRead }),
    output,
    asOf,
    ...(contextTokens === undefined ? {} : { contextTokens }),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    ...(withdrawn === undefined ? {} : { withdrawn }),
    history,
    ...(cost === undefined ? {} : { cost }),
  };
}
