import { LOCAL_MODEL_NAME, modelsOfTier, type Tier } from '../src/workflows/workflow.ts';
import type { RawConfig } from './schema.ts';

type Required = NonNullable<RawConfig['workflows'][string]['require']>;
type Policy = NonNullable<RawConfig['providers'][string]['dataPolicy']>;

/**
 * Holds every model of a workflow's tiers, fallbacks included, to what the workflow requires of its providers: what a provider
 * does not state does not count, since nobody has looked. Documents of a private workflow only go to servers that are declared
 * self-hosted. The built-in model sends nothing anywhere.
 *
 * @param pathOf path of the tier at an index
 */
export function checkDataPolicy(
  tiers: readonly Tier[],
  { require: required, private: isPrivate }: Pick<RawConfig['workflows'][string], 'require' | 'private'>,
  raw: RawConfig,
  pathOf: (index: number) => string,
  problems: string[],
): void {
  const models = tiers.flatMap((tier, index) =>
    modelsOfTier(tier)
      .filter(({ name }) => name !== LOCAL_MODEL_NAME)
      .map(({ name, provider }) => ({
        name,
        provider,
        at: pathOf(index),
        policy: raw.providers[provider]?.dataPolicy,
      })),
  );
  for (const { name, provider, at, policy } of models) {
    for (const { setting, want, found } of required === undefined ? [] : unmet(required, policy)) {
      problems.push(
        `${at}: the workflow requires ${setting}: ${want} of its providers, and ${provider} (model ${name}) ` +
          `states ${found}; if its terms promise it, write providers.${provider}.dataPolicy.${setting}, else take the model out`,
      );
    }
  }
  for (const { name, provider, at, policy } of isPrivate ? models : []) {
    if (policy?.location === 'local') continue;
    problems.push(
      `${at}: the workflow is private, and model ${name} is on provider ${provider}, ` +
        `which is not declared local; if it runs on your own network, write providers.${provider}.dataPolicy: ` +
        '{ location: local }, else take the model out',
    );
  }
}

interface Unmet {
  readonly setting: keyof Required;
  readonly want: string;
  readonly found: string;
}

function unmet(required: Required, policy: Policy | undefined): readonly Unmet[] {
  const { location, training, retentionDays, region, certificates = [] } = required;
  const regions = region === undefined ? [] : [region].flat();
  const held = policy?.certificates ?? [];
  const missing = certificates.filter((certificate) => !held.includes(certificate));
  const checks: readonly (readonly [boolean, keyof Required, unknown, unknown])[] = [
    [location === undefined || policy?.location === location, 'location', location, policy?.location],
    [training === undefined || policy?.training === training, 'training', training, policy?.training],
    [
      retentionDays === undefined || (policy?.retentionDays ?? Number.POSITIVE_INFINITY) <= retentionDays,
      'retentionDays',
      `${retentionDays} or less`,
      policy?.retentionDays,
    ],
    [regions.length === 0 || regions.includes(policy?.region ?? ''), 'region', regions.join(' or '), policy?.region],
    [missing.length === 0, 'certificates', missing.join(', '), held.length === 0 ? undefined : held.join(', ')],
  ];
  return checks.flatMap(([isMet, setting, want, found]) =>
    isMet ? [] : [{ setting, want: String(want), found: found === undefined ? 'nothing about it' : String(found) }],
  );
}
