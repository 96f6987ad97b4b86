import type { TokenPrice } from '../src/money/price.ts';
import { knownNames } from '../src/text/known-names.ts';
import { LOCAL_MODEL_NAME, type ModelSpec } from '../src/workflows/workflow.ts';
import { type Catalogue, listedModel } from './catalogue.ts';
import type { ProviderConfig } from './config.ts';
import { isUnpinnedAlias } from './model-alias.ts';
import { factsOf, type ModelFacts, windowOf } from './model-facts.ts';
import { resolvePrice } from './model-price.ts';
import { poolOfModel } from './resolve-pools.ts';
import { resolveReasoning } from './resolve-reasoning.ts';
import { resolveRequest } from './resolve-request.ts';
import type { RawConfig } from './schema.ts';

type RawModel = RawConfig['models'][string];

const LOCAL_MODEL: ModelSpec = {
  name: LOCAL_MODEL_NAME,
  provider: LOCAL_MODEL_NAME,
  pool: LOCAL_MODEL_NAME,
  id: 'local',
  contextTokens: Number.MAX_SAFE_INTEGER,
  maxOutputTokens: Number.MAX_SAFE_INTEGER,
  price: { inputPerMillion: 0, cachedInputPerMillion: 0, outputPerMillion: 0 },
  structuredOutput: 'prompt',
  logprobs: false,
};

/** Every model by its name, and what is known of those that call a provider. */
export interface ResolvedModels {
  readonly models: ReadonlyMap<string, ModelSpec>;
  readonly facts: ReadonlyMap<string, ModelFacts>;
}

/** A name on a provider of kind `local` is another one for the built-in model. */
export function resolveModels(
  raw: RawConfig,
  providers: ReadonlyMap<string, ProviderConfig>,
  list: Catalogue,
  problems: string[],
): ResolvedModels {
  const facts = new Map<string, ModelFacts>();
  const models = new Map<string, ModelSpec>([[LOCAL_MODEL_NAME, LOCAL_MODEL]]);
  for (const [name, model] of Object.entries(raw.models)) {
    const at = `models.${name}`;
    if (name === LOCAL_MODEL_NAME)
      problems.push(`${at}: this name is taken by the built-in local model; choose another`);
    if (raw.providers[model.provider]?.kind === 'local') {
      if (model.id !== LOCAL_MODEL.id)
        problems.push(`${at}.id: the only model of kind local is local; write id: local`);
      models.set(name, LOCAL_MODEL);
      continue;
    }
    const provider = providers.get(model.provider);
    if (provider === undefined) {
      const known = knownNames(Object.keys(raw.providers));
      problems.push(`${at}.provider: there is no provider ${JSON.stringify(model.provider)}; ${known}`);
      continue;
    }
    const listed = listedModel(provider.baseUrl, model.id, list);
    const window = windowOf(model, listed);
    facts.set(name, factsOf(model, listed));
    const request = resolveRequest(model, provider, at, problems);
    checkModel({ ...model, ...window }, provider, at, problems);
    const resolved = resolvePrice({ ...model, ...request }, listed, { path: at, baseUrl: provider.baseUrl }, problems);
    models.set(name, {
      name,
      provider: model.provider,
      pool: poolOfModel(name, model, raw),
      id: model.id,
      ...window,
      ...(model.temperature === undefined ? {} : { temperature: model.temperature }),
      ...resolveReasoning({ ...model, ...window }, provider, at, problems),
      ...request,
      ...resolved,
      ...cacheWritesOf(resolved.price, provider),
      structuredOutput: provider.capabilities.structuredOutput,
      logprobs: raw.providers[model.provider]?.logprobs ?? false,
    });
  }
  return { models, facts };
}

/** Only where it changes what is held: most prices have no rate for cache writes. */
function cacheWritesOf(
  price: TokenPrice | undefined,
  { capabilities }: ProviderConfig,
): Pick<ModelSpec, 'cacheWrites'> {
  if (price?.cacheWritePerMillion === undefined || capabilities.promptCache === 'automatic') return {};
  return { cacheWrites: capabilities.promptCache === 'none' ? 'none' : 'system' };
}

type SizedModel = RawModel & ReturnType<typeof windowOf>;

function checkModel(model: SizedModel, provider: ProviderConfig, at: string, problems: string[]): void {
  if (!model.allowAlias && isUnpinnedAlias(model.id)) {
    problems.push(
      `${at}.id: ${JSON.stringify(model.id)} is an alias that the provider may point at another model tomorrow; ` +
        'name the dated version (for Ollama the tag, e.g. llama3:8b), or set allowAlias: true',
    );
  }
  if (model.maxOutputTokens >= model.contextTokens) {
    problems.push(
      `${at}.maxOutputTokens: ${model.maxOutputTokens} leaves no room in contextTokens ${model.contextTokens}`,
    );
  }
  if (model.temperature !== undefined && !provider.capabilities.temperature) {
    problems.push(
      `${at}.temperature: provider ${provider.name} refuses a temperature, and ${model.temperature} is set; leave it out, ` +
        `or write providers.${provider.name}.temperature: true if this endpoint takes one`,
    );
  }
}
