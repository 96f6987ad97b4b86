import type { CallWarning } from '../ledger/journal-entry.ts';
import type { NanoUsd } from '../money/money.ts';
import { priceCall, type TokenPrice } from '../money/price.ts';
import { NO_USAGE, type Usage } from '../money/usage.ts';
import type { ModelReply } from '../providers/model-client.ts';
import { isSameModel } from '../providers/same-model.ts';
import { countRequestTokens } from '../requests/estimate.ts';
import type { ModelRequest } from '../requests/model-request.ts';
import { isRecord } from '../text/json-value.ts';
import { countTokens } from '../text/tokens.ts';
import type { ModelSpec } from '../workflows/workflow.ts';

/** What a reply is booked at. */
export interface Booked {
  readonly usage: Usage;
  readonly cost: NanoUsd;
  readonly usageEstimated?: boolean;
  /** The cost is what the provider has stated. */
  readonly isStated?: boolean;
  /** What the provider has stated and what the rates give, where the rates are booked: they should be alike. */
  readonly compared?: { readonly stated: NanoUsd; readonly reckoned: NanoUsd };
  /** Another model than was asked. */
  readonly servedBy?: string;
  readonly warnings: readonly CallWarning[];
}

interface BookedCall {
  readonly model: ModelSpec;
  readonly request: ModelRequest;
  /** What is held for it. */
  readonly hold: NanoUsd;
  /** Most input tokens that the request can have. */
  readonly inputBound: number;
  /** Of another model of the same provider, by the provider's name of it. */
  readonly priceOf?: ((provider: string, modelId: string) => TokenPrice | undefined) | undefined;
}

type BookedReply = Pick<ModelReply, 'text' | 'usage' | 'rawUsage' | 'model' | 'statedCost'>;

/** A provider may put words of its own around a prompt, but not so many. */
const MAX_ADDED_TOKENS = 16_384;

/** A usage that cannot be is booked at the hold, another model at its own price; one that is not told is counted here. */
export function bookReply(call: BookedCall, reply: BookedReply): Booked {
  const { model, request } = call;
  const counted = (): Usage => ({
    ...NO_USAGE,
    inputTokens: countRequestTokens(request),
    outputTokens: countTokens(reply.text),
  });
  const servedBy = reply.model === undefined || isSameModel(model.id, reply.model) ? undefined : reply.model;
  const other = servedBy === undefined ? undefined : call.priceOf?.(model.provider, servedBy);
  const isUnpriced = servedBy !== undefined && other === undefined && (model.price?.outputPerMillion ?? 0) > 0;
  const named = servedBy === undefined ? {} : { servedBy };
  const warnings: CallWarning[] = isUnpriced ? ['model_price_unknown'] : [];
  if (isImpossible(call, reply)) {
    const usage = counted();
    return { usage, cost: call.hold, usageEstimated: true, ...named, warnings: ['usage_impossible', ...warnings] };
  }
  const usage = reply.usage ?? counted();
  // A model without a price has no budget to keep.
  const price = model.price === undefined ? undefined : (other ?? model.price);
  return {
    usage,
    ...costOf(price, model.price?.isStated === true, usage, reply),
    ...(reply.usage === undefined ? { usageEstimated: true } : {}),
    ...named,
    warnings: [
      ...(isPromptCut(request, usage) ? (['prompt_cut'] as const) : []),
      ...(usage.outputTokens > request.maxOutputTokens ? (['output_over_cap'] as const) : []),
      ...warnings,
    ],
  };
}

function costOf(
  price: TokenPrice | undefined,
  isStated: boolean,
  usage: Usage,
  { statedCost, usage: told }: BookedReply,
): Pick<Booked, 'cost' | 'isStated' | 'compared'> {
  if (price === undefined) return { cost: 0 };
  if (isStated && statedCost !== undefined) return { cost: statedCost, isStated };
  const reckoned = priceCall(price, usage);
  if (statedCost === undefined || told === undefined || isStated) return { cost: reckoned };
  return { cost: reckoned, compared: { stated: statedCost, reckoned } };
}

function isImpossible(
  { model, inputBound }: BookedCall,
  reply: Pick<ModelReply, 'text' | 'usage' | 'rawUsage'>,
): boolean {
  const { usage } = reply;
  if (usage === undefined) return hasBadCount(reply.rawUsage);
  const isInputTooMuch = usage.inputTokens > inputBound + MAX_ADDED_TOKENS;
  // Thinking may go beyond the cap, but never beyond the model's window.
  const mostOutput = Math.max(model.contextTokens, model.maxOutputTokens, Buffer.byteLength(reply.text));
  return isInputTooMuch || usage.outputTokens > mostOutput;
}

/** A count of tokens that is none: negative, a fraction, or a text. */
function hasBadCount(rawUsage: unknown): boolean {
  if (!isRecord(rawUsage)) return false;
  return Object.entries(rawUsage).some(([name, value]) => {
    if (!/token/i.test(name) || value === null || isRecord(value) || Array.isArray(value)) return false;
    return typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0;
  });
}

/** No tokenizer takes so many characters to a token in a text of this length. */
const MAX_CHARACTERS_PER_TOKEN = 12;
/** Ollama's smallest window is 2,048 tokens; under half of it nothing was cut. */
const MIN_CUT_TOKENS = 1_000;

/** Servers with a smaller window than the model's cut the beginning off without a word (Ollama's `num_ctx`). */
function isPromptCut({ messages }: ModelRequest, { inputTokens }: Usage): boolean {
  const characters = messages.reduce((sum, { content }) => sum + content.length, 0);
  return inputTokens >= MIN_CUT_TOKENS && characters > inputTokens * MAX_CHARACTERS_PER_TOKEN;
}
