import type { TokenPrice } from '../src/money/price.ts';
import { cataloguePrice } from './catalogue.ts';
import type { Config } from './config.ts';

/** The price of a model by its provider's name of it: of the config, else of the catalogue. Undefined: not known. */
export function priceOfModel(config: Config, provider: string, modelId: string): TokenPrice | undefined {
  const own = [...config.models.values()].find((model) => model.provider === provider && model.id === modelId);
  const baseUrl = config.providers.get(provider)?.baseUrl;
  return own?.price ?? (baseUrl === undefined ? undefined : cataloguePrice(baseUrl, modelId));
}
