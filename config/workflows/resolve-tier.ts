import { knownNames } from '../../src/text/known-names.ts';
import { LOCAL_MODEL_NAME, type ModelSpec, type Spread, type Tier } from '../../src/workflows/workflow.ts';
import type { ProviderConfig } from '../config.ts';
import type { RawConfig } from '../schema.ts';

type RawTier = RawConfig['workflows'][string]['cascade'][number];

export interface TierContext {
  readonly models: ReadonlyMap<string, ModelSpec>;
  readonly providers: ReadonlyMap<string, ProviderConfig>;
  readonly problems: string[];
}

/** A tier with its models as it asks them; undefined: its model is not known, which is a problem. */
export function resolveTier(raw: RawTier, at: string, { models, providers, problems }: TierContext): Tier | undefined {
  const find = (name: string, path: string): ModelSpec | undefined => {
    const model = models.get(name);
    if (model === undefined)
      problems.push(`${path}: there is no model ${JSON.stringify(name)}; ${knownNames([...models.keys()])}`);
    return model;
  };
  const names = [raw.model].flat();
  const [model, ...hosts] = names.flatMap(
    (name, index) => find(name, names.length === 1 ? `${at}.model` : `${at}.model.${index}`) ?? [],
  );
  checkHosts(names, raw.spread, at, problems);
  const named = (raw.fallback ?? []).flatMap((name, index) => find(name, `${at}.fallback.${index}`) ?? []);
  const fallbacks = named.filter(({ name }) => name !== LOCAL_MODEL_NAME);
  checkLocalStandIn(raw, model, named, at, problems);
  if (model === undefined) return undefined;
  checkAsking(raw, [model, ...hosts, ...fallbacks], at, providers, problems);
  const asked = (each: ModelSpec): ModelSpec => ({
    ...each,
    ...(raw.temperature === undefined ? {} : { temperature: raw.temperature }),
    ...(raw.instructions === undefined ? {} : { instructions: raw.instructions }),
  });
  return {
    model: asked(model),
    ...(typeof raw.acceptAt === 'number' ? { acceptAt: raw.acceptAt } : {}),
    ...(hosts.length === 0 ? {} : { hosts: hosts.map(asked), spread: raw.spread ?? 'quota' }),
    ...(fallbacks.length === 0 ? {} : { fallbacks: fallbacks.map(asked) }),
    ...(fallbacks.length === named.length ? {} : { standsInLocally: true }),
  };
}

function checkLocalStandIn(
  { fallback }: RawTier,
  model: ModelSpec | undefined,
  named: readonly ModelSpec[],
  at: string,
  problems: string[],
): void {
  if (fallback !== undefined && model?.name === LOCAL_MODEL_NAME) {
    problems.push(`${at}.fallback: the local model has no provider that could fail; leave it out`);
  }
  const place = named.findIndex(({ name }) => name === LOCAL_MODEL_NAME);
  if (place !== -1 && place < named.length - 1) {
    problems.push(
      `${at}.fallback: the local model is always there, so what stands behind it is never asked; name it last`,
    );
  }
}

function checkHosts(names: readonly string[], spread: Spread | undefined, at: string, problems: string[]): void {
  if (names.length === 1) {
    if (spread !== undefined)
      problems.push(`${at}.spread: there is one host; name several, model: [a, b], or leave it out`);
    return;
  }
  if (names.includes(LOCAL_MODEL_NAME)) {
    problems.push(`${at}.model: the local model runs in the worker and has no hosts; give it a tier of its own`);
  }
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) problems.push(`${at}.model: ${JSON.stringify(twice)} is named twice; name each host once`);
}

/** What a tier says to its models must reach each of them. */
function checkAsking(
  { instructions, temperature }: RawTier,
  models: readonly ModelSpec[],
  at: string,
  providers: TierContext['providers'],
  problems: string[],
): void {
  const isLocal = models.some(({ name }) => name === LOCAL_MODEL_NAME);
  if (isLocal && instructions !== undefined) {
    problems.push(`${at}.instructions: the local model reads no prompt; leave it out`);
  }
  if (temperature === undefined) return;
  if (isLocal) problems.push(`${at}.temperature: the local model has none; leave it out`);
  for (const { name, provider } of models) {
    if (providers.get(provider)?.capabilities.temperature !== false) continue;
    problems.push(
      `${at}.temperature: provider ${provider} refuses a temperature, and ${name} is asked with ${temperature} here; leave it out, ` +
        `or write providers.${provider}.temperature: true if this endpoint takes one`,
    );
  }
}
