import { NightmillError } from '../../../errors.ts';

/** One script decides about so many calls at most, so that no other client waits for it longer than about a millisecond. */
export const MAX_CALLS = 64;
/** Replies in one command, compressed; a larger one goes alone. */
export const MAX_BYTES = 262_144;

interface Waiting<Item, Answer> {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

export interface TurnsOptions<Item, Answer> {
  /** How long the first item waits for others, in milliseconds, unless they fill a script; default: until the turn of the event loop ends. */
  readonly gatherMs?: number;
  /** Only items of the same group are asked together. */
  readonly groupOf: (item: Item) => string;
  /** How large an item is, beside what every item has. */
  readonly bytesOf: (item: Item) => number;
  /** Answers in the order of the items. */
  readonly ask: (items: readonly Item[]) => Promise<readonly Answer[]>;
}

/**
 * Gathers what is asked in one turn of the event loop, or for a while longer, and asks it together, those of one group at a
 * time: every reply that one read of the sockets has brought leaves as one command. A single item is a turn of one.
 */
export class Turns<Item, Answer> {
  readonly #options: TurnsOptions<Item, Answer>;
  #groups = new Map<string, Waiting<Item, Answer>[]>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: TurnsOptions<Item, Answer>) {
    this.#options = options;
  }

  /** @throws what asking for this item alone throws */
  add(item: Item): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      if (this.#groups.size === 0) this.#begin();
      const group = this.#options.groupOf(item);
      const waiting = this.#groups.get(group) ?? [];
      this.#groups.set(group, waiting);
      waiting.push({ item, resolve, reject });
      if (waiting.length === MAX_CALLS && this.#timer !== undefined) this.#endSoon();
    });
  }

  #begin(): void {
    const { gatherMs = 0 } = this.#options;
    if (gatherMs > 0) this.#timer = setTimeout(() => this.#end(), gatherMs);
    else this.#endSoon();
  }

  #endSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    setImmediate(() => this.#end());
  }

  #end(): void {
    const groups = this.#groups;
    this.#groups = new Map();
    this.#timer = undefined;
    for (const waiting of groups.values()) for (const part of this.#parts(waiting)) void this.#askTogether(part);
  }

  async #askTogether(part: readonly Waiting<Item, Answer>[]): Promise<void> {
    try {
      const answers = await this.#options.ask(part.map(({ item }) => item));
      for (const [index, { resolve }] of part.entries()) resolve(answers[index] as Answer);
    } catch (error) {
      // A server that is away answers nobody. What it says of one item must not meet the others: each is asked alone,
      // which changes nothing for those that it knows already.
      if (part.length === 1 || error instanceof NightmillError) for (const { reject } of part) reject(error);
      else for (const one of part) void this.#askTogether([one]);
    }
  }

  /** In their order, within the bounds of one script. */
  #parts(waiting: readonly Waiting<Item, Answer>[]): readonly Waiting<Item, Answer>[][] {
    const all: Waiting<Item, Answer>[][] = [];
    let bytes = 0;
    for (const one of waiting) {
      const last = all.at(-1);
      const more = this.#options.bytesOf(one.item);
      bytes += more;
      if (last !== undefined && last.length < MAX_CALLS && bytes <= MAX_BYTES) last.push(one);
      else {
        all.push([one]);
        bytes = more;
      }
    }
    return all;
  }
}
