import type { ModelSpec } from '../../src/workflows/workflow.ts';
import type { ProviderConfig } from '../config.ts';

/** A canary needs a model of its provider to ask. */
export function checkCanaries(
  providers: ReadonlyMap<string, ProviderConfig>,
  models: ReadonlyMap<string, ModelSpec>,
  problems: string[],
): void {
  for (const { name, canary, power } of providers.values()) {
    if (canary === undefined) continue;
    if (power !== undefined) {
      problems.push(
        `providers.${name}.canary: a server that is switched off while nothing needs it cannot be asked; leave it out`,
      );
    }
    const own = [...models.values()].filter((model) => model.provider === name).map((model) => model.name);
    if (canary.model === undefined ? own.length > 0 : own.includes(canary.model)) continue;
    const what = canary.model === undefined ? 'no model' : `no model ${JSON.stringify(canary.model)}`;
    const known = own.length === 0 ? 'add one under models:' : `it has ${own.join(', ')}`;
    problems.push(`providers.${name}.canary: the provider has ${what}; ${known}`);
  }
}
