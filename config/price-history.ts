import { isDeepStrictEqual } from 'node:util';
import type { Catalogue, CatalogueEntry, CatalogueRates, PastPrice } from './catalogue.ts';

/** The new list with what the old one had charged otherwise, so that a price once used can always be found again. */
export function withHistory(list: Catalogue, before: Catalogue): Catalogue {
  const providers = Object.entries(list.providers).map(([name, provider]) => {
    const old = before.providers[name]?.models ?? {};
    const models = Object.entries(provider.models).map(([id, entry]) => {
      const known = Object.hasOwn(old, id) ? old[id] : undefined;
      return [id, known === undefined ? entry : entryWithHistory(entry, known, list.asOf)] as const;
    });
    return [name, { ...provider, models: Object.fromEntries(models) }] as const;
  });
  return { ...list, providers: Object.fromEntries(providers) };
}

export function entryWithHistory(entry: CatalogueEntry, old: CatalogueEntry, asOf: string): CatalogueEntry {
  const { history: own = [], ...rest } = entry;
  const changed = isDeepStrictEqual(ratesOf(entry), ratesOf(old)) ? [] : [{ until: asOf, ...ratesOf(old) }];
  const known = new Map<string, PastPrice>();
  // What the source dates itself goes before the day on which this list noticed it.
  for (const past of [...changed, ...(old.history ?? []), ...own]) known.set(past.until, past);
  const history = [...known.values()].sort((a, b) => (a.until < b.until ? 1 : -1)).filter(isNews);
  return history.length === 0 ? rest : { ...rest, history };
}

/** The same change, dated by the source and noticed later here, is one change. */
function isNews(past: PastPrice, index: number, all: readonly PastPrice[]): boolean {
  const earlier = all[index + 1];
  return earlier === undefined || !isDeepStrictEqual(ratesOf(past), ratesOf(earlier));
}

function ratesOf({ input, cachedRead, cacheWrite, output, reasoning }: CatalogueRates): CatalogueRates {
  return {
    input,
    ...(cachedRead === undefined ? {} : { cachedRead }),
    ...(cacheWrite === undefined ? {} : { cacheWrite }),
    output,
    ...(reasoning === undefined ? {} : { reasoning }),
  };
}
