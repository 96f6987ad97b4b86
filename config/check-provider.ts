import type { ProviderKind } from '../src/providers/provider-endpoint.ts';
import { PRESET_NAMES, type PresetName, presetOf } from './presets.ts';

interface WrittenProvider {
  readonly kind?: ProviderKind | 'local' | undefined;
  readonly preset?: PresetName | undefined;
  readonly baseUrl?: string | undefined;
  readonly logprobs?: boolean | undefined;
  readonly power?: unknown;
  readonly price?: unknown;
}

export interface ProviderProblem {
  /** The setting that it is about. */
  readonly setting: string;
  readonly message: string;
}

/** What is wrong with a provider as a whole, where each of its settings alone is well-formed. */
export function providerProblems(provider: WrittenProvider): readonly ProviderProblem[] {
  const { kind, preset } = provider;
  if (kind === 'local') return localProblems(provider);
  if (kind === undefined && preset === undefined) {
    return [
      {
        setting: 'kind',
        message: `write a kind (openai, anthropic, gemini, local) or a preset (${PRESET_NAMES.join(', ')})`,
      },
    ];
  }
  const problems: ProviderProblem[] = [];
  const base = presetOf({ preset, kind });
  const name = preset === undefined ? `kind ${kind}` : `preset ${preset}`;
  if (kind !== undefined && kind !== base.kind) {
    problems.push({ setting: 'kind', message: `${name} is of kind ${base.kind}, not ${kind}; leave one of them out` });
  }
  if (provider.baseUrl === undefined && base.baseUrl === undefined) {
    problems.push({ setting: 'baseUrl', message: `${name} needs its address, e.g. ${base.exampleUrl}` });
  }
  if (provider.logprobs === true && !base.capabilities.logprobs) {
    const message = `${name} has no log-probabilities that can be used; leave it out, confidence then is what the model states`;
    problems.push({ setting: 'logprobs', message });
  }
  if (provider.price !== undefined && provider.power === undefined) {
    const message =
      'an hour is booked while power has the server switched on; add power: { start, stop }, or leave it out';
    problems.push({ setting: 'price', message });
  }
  return problems;
}

/** The built-in model runs inside the worker: there is nothing to set. */
function localProblems(provider: WrittenProvider): ProviderProblem[] {
  const needless = Object.entries(provider).filter(([name, value]) => name !== 'kind' && !isDefault(name, value));
  return needless.map(([setting]) => ({
    setting,
    message: 'a provider of kind local runs inside the worker, without network and cost, and has no settings',
  }));
}

function isDefault(name: string, value: unknown): boolean {
  if (name === 'timeoutSeconds' || value === undefined) return true;
  return name === 'limits' && Object.keys(value as object).length === 0;
}
