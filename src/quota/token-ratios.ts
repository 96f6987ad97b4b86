import { countRequestTokens, inputTokenBound } from '../requests/estimate.ts';
import type { ModelRequest } from '../requests/model-request.ts';

/** What was seen of a model's own token counts beside ours. */
export interface InputRatio {
  /** Largest reported / counted so far. */
  readonly most: number;
  readonly calls: number;
}

/** Fewer calls than this say too little about a tokenizer. */
const CALLS_TO_TRUST = 3;
/** The first calls are all counted; afterwards one in so many, because counting costs as much as a call. */
const CALLS_COUNTED = 40;
const COUNT_EVERY = 64;
/** On top of the worst ratio seen; a few calls have not seen the worst, so they add more: one in `calls`. */
const MARGIN = 1.1;
const MARGIN_TOKENS = 16;
/** Text with fewer bytes to a token is unusual, and tokenizers differ most on it. */
const ORDINARY_BYTES_PER_TOKEN = 2;
/** Before anything was seen: English prose with its markup. */
const FIRST_TOKENS_PER_BYTE = 0.27;
/** Weight of the newest call in the running mean. */
const NEWEST = 0.05;

/**
 * Learns how a model counts tokens compared with us, so that the last money under a limit can be used: the bound by
 * bytes holds for any tokenizer, but it is several times what ordinary text has.
 */
export class InputRatios {
  readonly #ratios = new Map<string, InputRatio>();
  readonly #tokensPerByte = new Map<string, number>();

  /** Takes in what a provider reported for a request of so many bytes, as `inputTokenBound` has them. */
  observe(model: string, request: ModelRequest, bytes: number, reportedTokens: number): void {
    // No token is shorter than a byte: a provider that reports more is wrong, and would stop its pool.
    const tokens = Math.min(reportedTokens, bytes);
    const known = this.#ratios.get(model) ?? { most: 0, calls: 0 };
    const calls = known.calls + 1;
    const counts = calls <= CALLS_COUNTED || calls % COUNT_EVERY === 0;
    const most = counts ? Math.max(known.most, tokens / countRequestTokens(request)) : known.most;
    this.#ratios.set(model, { most, calls });
    const seen = tokens / bytes;
    const mean = this.#tokensPerByte.get(model) ?? seen;
    this.#tokensPerByte.set(model, mean + (seen - mean) * NEWEST);
  }

  /**
   * About how many input tokens the provider will count, for its quota; corrected when the reply is there. By bytes,
   * because counting tokens costs as much as a call.
   *
   * @param bytes as `inputTokenBound` has them
   */
  expected(model: string, bytes: number): number {
    return Math.ceil(bytes * (this.#tokensPerByte.get(model) ?? FIRST_TOKENS_PER_BYTE));
  }

  /** Takes over what other workers have seen. */
  merge(model: string, other: InputRatio): void {
    const known = this.#ratios.get(model) ?? { most: 0, calls: 0 };
    this.#ratios.set(model, { most: Math.max(known.most, other.most), calls: Math.max(known.calls, other.calls) });
  }

  get all(): ReadonlyMap<string, InputRatio> {
    return this.#ratios;
  }

  /**
   * Likely upper bound of the input tokens of a request: the worst ratio seen and some more. Undefined where too
   * little was seen or the text is not ordinary; the bound by bytes stands then.
   */
  likelyBound(model: string, request: ModelRequest): number | undefined {
    const known = this.#ratios.get(model);
    if (known === undefined || known.calls < CALLS_TO_TRUST) return undefined;
    const counted = countRequestTokens(request);
    const bytes = inputTokenBound(request);
    if (bytes < counted * ORDINARY_BYTES_PER_TOKEN) return undefined;
    return Math.min(bytes, Math.ceil(counted * known.most * (MARGIN + 1 / known.calls)) + MARGIN_TOKENS);
  }
}
