import type { TokenPrice, TokenRates } from '../src/money/price.ts';
import type { JsonFields } from '../src/requests/model-request.ts';
import { cataloguePrice, entryPrice, type ListedModel } from './catalogue.ts';
import type { RawConfig } from './schema.ts';

type RawModel = RawConfig['models'][string];
type RawPrice = NonNullable<RawModel['price']>;

/** The price in the config, else the one in the catalogue; none where neither has it. */
export function resolvePrice(
  model: Pick<RawModel, 'id' | 'price'> & { readonly request?: JsonFields | undefined },
  listed: ListedModel | undefined,
  at: { readonly path: string; readonly baseUrl: string },
  problems: string[],
): { price?: TokenPrice } {
  const price = model.price === undefined ? undefined : statedPrice(model.price);
  const full = price ?? (listed === undefined ? undefined : entryPrice(listed.entry));
  const discount =
    model.price?.discount ?? (price === undefined ? tierFactor(model, listed, at.path, problems) : undefined);
  const { stated = false, maxOverrun } = model.price ?? {};
  const more = {
    ...(discount === undefined ? {} : { paidPerMille: Math.round(discount * 1000) }),
    ...(stated ? { isStated: true } : {}),
    ...(maxOverrun === undefined ? {} : { maxOverrun }),
  };
  if (full !== undefined) return { price: { ...full, ...more } };
  if (Object.keys(more).length > 0) {
    const what = discount === undefined ? 'stated or maxOverrun' : 'a discount';
    problems.push(
      `${at.path}.price: ${what} alone applies to the price catalogue, which does not list ${JSON.stringify(model.id)} at ${at.baseUrl}; ` +
        'add inputPerMillion and outputPerMillion',
    );
  }
  return {};
}

/** Kinds of service at the listed price. */
const LISTED_SERVICE: readonly unknown[] = [
  undefined,
  null,
  'auto',
  'default',
  'standard',
  'standard_only',
  'on_demand',
];

/** What is paid of a listed price for the kind of service that the request asks for; undefined: all of it. */
function tierFactor(
  { request }: { readonly request?: JsonFields | undefined },
  listed: ListedModel | undefined,
  at: string,
  problems: string[],
): number | undefined {
  const tier = request?.['service_tier'];
  if (listed === undefined || LISTED_SERVICE.includes(tier)) return undefined;
  const factor = listed.multipliers?.[String(tier)];
  if (factor !== undefined) return Number(factor);
  problems.push(
    `${at}.request.service_tier: the price catalogue has no price for ${JSON.stringify(tier)}; state ${at}.price as it is for that service`,
  );
  return undefined;
}

/** The rates in the config; undefined where there are none, or a discount alone. */
export function statedPrice({ longContext, ...rates }: RawPrice): TokenPrice | undefined {
  const { inputPerMillion, outputPerMillion } = rates;
  if (inputPerMillion === undefined || outputPerMillion === undefined) return undefined;
  return {
    ...fullRates({ ...rates, inputPerMillion, outputPerMillion }),
    ...(longContext === undefined
      ? {}
      : { longContext: longContext.map((tier) => ({ aboveInputTokens: tier.aboveInputTokens, ...fullRates(tier) })) }),
  };
}

type RawRates = Pick<NonNullable<RawPrice['longContext']>[number], keyof TokenRates>;

function fullRates(rates: RawRates): TokenRates {
  return {
    inputPerMillion: rates.inputPerMillion,
    cachedInputPerMillion: rates.cachedInputPerMillion ?? rates.inputPerMillion,
    outputPerMillion: rates.outputPerMillion,
    ...(rates.cacheWritePerMillion === undefined ? {} : { cacheWritePerMillion: rates.cacheWritePerMillion }),
    ...(rates.reasoningPerMillion === undefined ? {} : { reasoningPerMillion: rates.reasoningPerMillion }),
  };
}

interface PricedConfig {
  readonly models: ReadonlyMap<string, { readonly provider: string; readonly id: string; readonly price?: TokenPrice }>;
  readonly providers: ReadonlyMap<string, { readonly baseUrl?: string | undefined }>;
}

/** The price of a model by its provider's name of it: of the config, else of the catalogue. Undefined: not known. */
export function priceOfModel(config: PricedConfig, provider: string, modelId: string): TokenPrice | undefined {
  const own = [...config.models.values()].find((model) => model.provider === provider && model.id === modelId);
  const baseUrl = config.providers.get(provider)?.baseUrl;
  return own?.price ?? (baseUrl === undefined ? undefined : cataloguePrice(baseUrl, modelId));
}
