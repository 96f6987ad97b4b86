import { LOCAL_MODEL_NAME, modelsOfTier, type Tier } from '../src/workflows/workflow.ts';
import type { RawConfig } from './schema.ts';

type Required = NonNullable<RawConfig['workflows'][string]['require']>;
type Policy = NonNullable<RawConfig['providers'][string]['dataPolicy']>;

/**
 * Holds every model of a cascade, fallbacks included, to what a workflow requires of its providers. What a provider does
 * not state does not count: nobody has looked. The built-in model sends nothing anywhere.
 *
 * @param at the path of what has the cascade
 */
export function checkDataPolicy(
  cascade: readonly Tier[],
  required: Required | undefined,
  raw: RawConfig,
  at: string,
  problems: string[],
): void {
  if (required === undefined) return;
  for (const [index, tier] of cascade.entries()) {
    for (const { name, provider } of modelsOfTier(tier)) {
      if (name === LOCAL_MODEL_NAME) continue;
      for (const { setting, want, found } of unmet(required, raw.providers[provider]?.dataPolicy)) {
        problems.push(
          `${at}.cascade.${index}: the workflow requires ${setting}: ${want} of its providers, and ${provider} (model ${name}) ` +
            `states ${found}; if its terms promise it, write providers.${provider}.dataPolicy.${setting}, else take the model out`,
        );
      }
    }
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
