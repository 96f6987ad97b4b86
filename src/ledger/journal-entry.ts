import type { NanoUsd } from '../money/money.ts';
import type { Usage } from '../money/usage.ts';
import type { ReplyText } from '../prompts/question.ts';

/**
 * `prompt_cut`: the usage is far too small for what was sent, so the server has read only a part of it.
 * `output_over_cap`: more output was billed than the request allowed.
 * `usage_impossible`: the usage cannot be true, so the call is booked at its hold.
 * `model_price_unknown`: another model answered, whose price is not known; the call is booked at the price of the one that
 * was asked.
 */
export type CallWarning = 'prompt_cut' | 'output_over_cap' | 'usage_impossible' | 'model_price_unknown';

/**
 * A paid reply as it is kept until its slice is committed: enough to take every later decision again without asking
 * again, and to write the same row.
 */
export interface JournalEntry {
  /** Position in the slice of the document that the call was made for. */
  readonly document: number;
  readonly model: string;
  readonly tier: number;
  readonly reply: ReplyText;
  readonly usage: Usage;
  readonly cost: NanoUsd;
  readonly durationMs: number;
  /** As `ModelReply.firstByteMs`. Absent: not known. */
  readonly firstByteMs?: number;
  /** The cost is what the provider has stated, not what the rates give. */
  readonly isStated?: boolean;
  /** The usage was not reported by the provider but counted here. */
  readonly usageEstimated?: boolean;
  /** What is odd about the reply: it is kept, and the row says so. */
  readonly warnings?: readonly CallWarning[];
  /** The model that answered, where it is not the one that was asked, in the provider's words. */
  readonly servedBy?: string;
  /** The provider's id of the model that answered, as the reply names it. Absent: it names none. */
  readonly servedId?: string;
  /** What the server says of the build behind it: OpenAI's `system_fingerprint`, Ollama's digest. */
  readonly fingerprint?: string;
  /** The provider's id of the request, for its support desk. */
  readonly requestId?: string;
  /** Another provider stood in for the tier's own. */
  readonly fallback?: boolean;
}
