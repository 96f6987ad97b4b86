import { createHash } from 'node:crypto';
import { BoundedMap } from './bounded-map.ts';
import type { ChatMessage } from './chat-request.ts';

const MIN_PREFIX_TOKENS = 1024;
/** Cached tokens come in steps of this. */
const STEP_TOKENS = 128;
const LIFETIME_MS = 5 * 60_000;
const MAX_PREFIXES = 100_000;

/** Remembers the beginnings of prompts, message by message. */
export class PromptCache {
  readonly #expiries = new BoundedMap<string, number>(MAX_PREFIXES);

  /**
   * Tokens of the longest beginning of these messages that was seen in the last five minutes; then remembers all of
   * their beginnings of 1024 tokens or more.
   *
   * @param messageTokens tokens of each message
   */
  use(model: string, messages: readonly ChatMessage[], messageTokens: readonly number[], nowMs: number): number {
    let cached = 0;
    let tokens = 0;
    const prefix = createHash('md5').update(model);
    for (const [index, message] of messages.entries()) {
      prefix.update(`\0${message.role}\0`).update(message.content);
      tokens += messageTokens[index] ?? 0;
      if (tokens < MIN_PREFIX_TOKENS) continue;
      const key = prefix.copy().digest('base64');
      if ((this.#expiries.get(key) ?? 0) > nowMs) cached = tokens;
      this.#expiries.set(key, nowMs + LIFETIME_MS);
    }
    return cached - (cached % STEP_TOKENS);
  }
}
