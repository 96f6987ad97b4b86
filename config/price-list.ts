import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { NightmillError } from '../src/errors.ts';
import { withoutUndefined } from '../src/text/without-undefined.ts';
import {
  BUILT_IN_CATALOGUE,
  type Catalogue,
  type CatalogueEntry,
  type CatalogueProvider,
  entryDay,
} from './catalogue.ts';
import { entryWithHistory } from './price-history.ts';

/**
 * A price list that somebody has: as the built-in one, or a part of it. It is kept in the working folder
 * (`.nightmill/prices.json`) and not in the store, because a batch carries its prices with it: only where batches are
 * submitted is the list read.
 */
const day = z.iso.date();
const dollars = z.string().regex(/^\d{1,6}(?:\.\d{1,9})?$/, 'must be dollars per million tokens as text, e.g. "0.15"');
const rates = {
  input: dollars,
  cachedRead: dollars.optional(),
  cacheWrite: dollars.optional(),
  output: dollars,
  reasoning: dollars.optional(),
};
const tokens = z.number().int().positive();

const entrySchema = z.strictObject({
  ...rates,
  asOf: day.optional(),
  longContext: z.array(z.strictObject({ aboveInputTokens: tokens, ...rates })).optional(),
  varies: z.boolean().optional(),
  contextTokens: tokens.optional(),
  maxOutputTokens: tokens.optional(),
  withdrawn: day.optional(),
  history: z.array(z.strictObject({ until: day, ...rates })).optional(),
});

const listSchema = z.strictObject({
  asOf: day,
  source: z.string().min(1),
  unit: z.literal('USD per million tokens').default('USD per million tokens'),
  providers: z.record(
    z.string().min(1),
    z.strictObject({
      hosts: z.array(z.string().min(1)).min(1).optional(),
      multipliers: z.record(z.string(), z.string()).optional(),
      asOf: day.optional(),
      source: z.string().optional(),
      models: z.record(z.string().min(1), entrySchema),
    }),
  ),
});

type GivenList = z.output<typeof listSchema>;

export function priceListFile(folder: string): string {
  return join(folder, 'prices.json');
}

/**
 * The built-in list with what `prices update` has left in a folder. Of two prices for one model the later one counts,
 * so a release with newer prices is not held back by an old file.
 *
 * @throws {NightmillError} `price_list_invalid`: the file is there and cannot be used
 */
export function readPriceList(folder: string): Catalogue {
  const file = priceListFile(folder);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return BUILT_IN_CATALOGUE;
    throw invalid(file, (error as Error).message);
  }
  return mergePriceLists(BUILT_IN_CATALOGUE, parsePriceList(text, file));
}

/** @throws {NightmillError} `price_list_invalid` with the first problems, each with its path */
export function parsePriceList(text: string, file: string): GivenList {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(file, `it is no JSON: ${(error as Error).message}`);
  }
  const parsed = listSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues
    .slice(0, 5)
    .map(({ path, message }) => `${path.join('.') || 'top level'}: ${message}`);
  throw invalid(file, problems.join('; '));
}

function invalid(file: string, problem: string): NightmillError {
  return new NightmillError(
    'price_list_invalid',
    `Cannot use the price list ${file}: ${problem}. Correct it, or remove it to go back to the built-in list; docs/providers.md shows its form.`,
  );
}

/** @throws {NightmillError} `price_list_invalid`: a provider is new and has no hosts */
export function mergePriceLists(base: Catalogue, given: GivenList): Catalogue {
  const providers = new Map(Object.entries(base.providers));
  for (const [name, { hosts, models, ...rest }] of Object.entries(given.providers)) {
    const known = providers.get(name);
    if (known === undefined && hosts === undefined) {
      throw invalid(
        given.source,
        `providers.${name}.hosts: a provider that is not in the built-in list needs its host names`,
      );
    }
    const provider = { ...withoutUndefined(rest), hosts: hosts ?? [], models: models as CatalogueProvider['models'] };
    const merged = mergeModels(base, known, given as Catalogue, provider);
    providers.set(name, { ...known, hosts: [...new Set([...(known?.hosts ?? []), ...(hosts ?? [])])], models: merged });
  }
  const isLater = given.asOf > base.asOf;
  return {
    ...base,
    asOf: isLater ? given.asOf : base.asOf,
    source: `${base.source} and ${given.source}`,
    providers: Object.fromEntries(providers),
  };
}

/** Every model says its day itself, because the two lists have two. */
function mergeModels(
  base: Catalogue,
  known: CatalogueProvider | undefined,
  given: Catalogue,
  provider: CatalogueProvider,
): CatalogueProvider['models'] {
  const merged = new Map<string, CatalogueEntry>();
  if (known !== undefined) {
    for (const [id, entry] of Object.entries(known.models)) {
      merged.set(id, { ...entry, asOf: entryDay(entry, known, base) });
    }
  }
  for (const [id, entry] of Object.entries(provider.models)) {
    const before = merged.get(id);
    const asOf = entryDay(entry, provider, given);
    if (before === undefined) merged.set(id, { ...entry, asOf });
    else if (asOf >= (before.asOf ?? '')) {
      merged.set(id, { ...limitsOf(before), ...entryWithHistory(entry, before, asOf), asOf });
    }
  }
  return Object.fromEntries(merged);
}

/** What a list of prices alone does not say stays known. */
function limitsOf({ contextTokens, maxOutputTokens, withdrawn }: CatalogueEntry): Partial<CatalogueEntry> {
  return {
    ...(contextTokens === undefined ? {} : { contextTokens }),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    ...(withdrawn === undefined ? {} : { withdrawn }),
  };
}
