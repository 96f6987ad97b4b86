import type { CatalogueEntry, CatalogueProvider } from '../../config/catalogue.ts';
import factsFile from '../../config/prices/facts.json' with { type: 'json' };
import { familyOf } from '../../config/snapshot.ts';

/** `config/prices/facts.json`: what no price list has, taken by hand, each with its source and its day. */
interface Facts {
  readonly sources: Readonly<Record<string, { readonly from: string; readonly asOf: string }>>;
  /** Ids stand for their dated snapshots too. */
  readonly limits: Readonly<Record<string, readonly LimitFact[]>>;
  readonly withdrawn: Readonly<Record<string, readonly { readonly on: string; readonly ids: readonly string[] }[]>>;
  readonly prices: Readonly<
    Record<string, { readonly source: string; readonly hosts: readonly string[]; readonly models: PricedByHand }>
  >;
}

interface LimitFact {
  readonly ids: readonly string[];
  readonly contextTokens: number;
  readonly maxOutputTokens?: number;
  readonly source: string;
}

type PricedByHand = Readonly<Record<string, CatalogueEntry>>;

const facts = factsFile as Facts;

/** Adds what is known by hand; a window by hand goes before the list's, which is often rounded. */
export function withFacts(provider: string, id: string, entry: CatalogueEntry): CatalogueEntry {
  const limits = factAbout(facts.limits[provider], id);
  const withdrawn = factAbout(facts.withdrawn[provider], id);
  const { history, ...rest } = entry;
  return {
    ...rest,
    ...(limits === undefined ? {} : { contextTokens: limits.contextTokens }),
    ...(limits?.maxOutputTokens === undefined ? {} : { maxOutputTokens: limits.maxOutputTokens }),
    ...(withdrawn === undefined ? {} : { withdrawn: withdrawn.on }),
    ...(history === undefined ? {} : { history }),
  };
}

/** A fact about the very id goes before one about its family. */
function factAbout<Fact extends { readonly ids: readonly string[] }>(
  known: readonly Fact[] = [],
  id: string,
): Fact | undefined {
  const family = familyOf(id);
  return (
    known.find(({ ids }) => ids.includes(id)) ??
    (family === undefined ? undefined : known.find(({ ids }) => ids.includes(family)))
  );
}

/** Providers whose prices are all by hand. */
export function providersByHand(): Readonly<Record<string, CatalogueProvider>> {
  const providers = Object.entries(facts.prices).map(([id, { source, hosts, models }]): [string, CatalogueProvider] => {
    const origin = facts.sources[source];
    if (origin === undefined) throw new Error(`facts.json has no source ${source}`);
    return [id, { hosts, asOf: origin.asOf, source: origin.from, models }];
  });
  return Object.fromEntries(providers);
}
