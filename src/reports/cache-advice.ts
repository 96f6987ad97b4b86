import type { ModelTotals } from '../batches/model-totals.ts';
import type { Manifest, ManifestModel } from '../finalize/manifest.ts';
import type { NanoUsd } from '../money/money.ts';
import type { Advice } from './advice.ts';

/** Providers keep no shorter beginning of a prompt (docs/providers.md). */
const MIN_PREFIX_TOKENS = 1_024;
/** Fewer calls say nothing: the first ones fill the cache. */
const MIN_CALLS = 100;
/** Of what could have been cached; above it nobody has missed much. */
const GOOD_SHARE = 0.5;
const TOKENS_PER_RATE = 1_000_000;

interface Missed {
  readonly workflow: string;
  readonly model: string;
  readonly provider: string;
  readonly calls: number;
  /** Input tokens that were the same instructions again. */
  readonly repeated: number;
  readonly cached: number;
  readonly saves: NanoUsd;
}

/** Models whose price has a discount for cached input, and whose long instructions were hardly ever found in the cache. */
export function cacheAdvice(manifests: readonly Manifest[]): readonly Advice[] {
  const sums = new Map<string, Missed>();
  for (const manifest of manifests) {
    for (const totals of manifest.models) {
      const price = manifest.cascade?.find(({ tier, model }) => tier === totals.tier && model === totals.model)?.price;
      const missed = price === undefined ? undefined : missedBy(manifest, totals, price);
      if (missed === undefined) continue;
      const key = `${missed.workflow}\0${missed.provider}\0${missed.model}`;
      const known = sums.get(key);
      sums.set(key, known === undefined ? missed : added(known, missed));
    }
  }
  return [...sums.values()]
    .filter(({ calls, repeated, cached }) => calls >= MIN_CALLS && cached < repeated * GOOD_SHARE)
    .sort((a, b) => b.saves - a.saves)
    .map(describe);
}

function missedBy(
  { workflow, instructionsShare = 0 }: Manifest,
  { model, provider, calls, usage }: ModelTotals,
  price: NonNullable<ManifestModel['price']>,
): Missed | undefined {
  const discount = price.inputPerMillion - price.cachedInputPerMillion;
  const repeated = Math.round(usage.inputTokens * instructionsShare);
  if (provider === undefined || discount <= 0 || calls === 0 || repeated / calls < MIN_PREFIX_TOKENS) return undefined;
  const cached = Math.min(usage.cachedInputTokens, repeated);
  const paid = (price.paidPerMille ?? 1_000) / 1_000;
  const saves = Math.round(((repeated - cached) / TOKENS_PER_RATE) * discount * paid);
  return { workflow, model, provider, calls, repeated, cached, saves };
}

function added(a: Missed, b: Missed): Missed {
  return {
    ...b,
    calls: a.calls + b.calls,
    repeated: a.repeated + b.repeated,
    cached: a.cached + b.cached,
    saves: a.saves + b.saves,
  };
}

function describe({ workflow, model, provider, calls, repeated, cached, saves }: Missed): Advice {
  const tokens = Math.round(repeated / calls).toLocaleString('en');
  const share = `${((cached / repeated) * 100).toFixed(0)} %`;
  return {
    workflow,
    kind: 'cache',
    message:
      `the cache discount of provider ${provider} was missed for ${model}: each of ${calls.toLocaleString('en')} calls repeats about ${tokens} tokens ` +
      `of instructions, and ${share} of them were billed as cached; look at promptCache of the provider`,
    saves,
    commands: [
      `nightmill eval -w ${workflow} --golden FILE --id before`,
      `nightmill eval -w ${workflow} --golden FILE --id after`,
      'nightmill compare before after',
    ],
  };
}
