import type { Ledger } from '../../src/ledger/ledger.ts';
import type { ScopeName } from '../../src/ledger/scope.ts';
import type { Sample, Sampler, ScopeSample } from './sampler.ts';

export interface Rest {
  /** Part of the limit that is spent, 0 to 1. */
  readonly use: number;
  readonly problems: readonly string[];
}

interface HoldRecord {
  readonly cause: string;
  readonly scope?: string;
  readonly limit?: number;
  readonly reason: string;
}

function hasEnded({ state }: { readonly state: string }): boolean {
  return /^(completed|cancelled|expired|failed)$/.test(state);
}

/** Follows one limit: until its breaker opens, and until all has settled. */
export class LimitWatch {
  readonly #sampler: Sampler;
  readonly #scope: string;
  readonly #limit: number;
  readonly #forgotten: () => number;
  #uncertain = 0;
  #isOpen = false;
  /** What dead calls gave back after the breaker had opened: booked at their hold, then settled for less. */
  #returned = 0;

  /** @param forgotten what Redis has forgotten so far of admitted calls, in nano-dollars: it may look unspent */
  constructor(sampler: Sampler, scope: string, limit: number, forgotten: () => number) {
    this.#sampler = sampler;
    this.#forgotten = forgotten;
    this.#scope = scope;
    this.#limit = limit;
    sampler.onSample((sample) => {
      const { uncertain } = this.#find(sample);
      if (this.#isOpen && uncertain < this.#uncertain) this.#returned += this.#uncertain - uncertain;
      this.#uncertain = uncertain;
    });
  }

  async opened(withinMs: number): Promise<void> {
    const seen = await this.#sampler.until(
      (sample) => this.#hold(sample) !== undefined || sample.batches.every(hasEnded),
      withinMs,
      `the limit of ${this.#scope} to be reached`,
    );
    if (this.#hold(seen) === undefined)
      throw new Error(`All work has ended, and the limit of ${this.#scope}, ${this.#limit}, was not reached`);
    this.#isOpen = true;
  }

  /** Waits until nothing has moved for `restMs`, then looks at what of the limit is left. */
  async atRest(restMs: number, withinMs: number): Promise<Rest> {
    let last = '';
    let since = performance.now();
    const sample = await this.#sampler.until(
      (present) => {
        const scope = this.#find(present);
        const state = JSON.stringify(scope);
        if (state !== last || scope.held > 0 || this.#hold(present) === undefined) since = performance.now();
        last = state;
        return performance.now() - since >= restMs;
      },
      withinMs,
      `${this.#scope} to settled`,
    );
    return this.#judge(this.#find(sample), this.#hold(sample));
  }

  /** The slack must be smaller than the one call that did not fit, apart from money that came back later. */
  #judge({ settled, uncertain, limit = 0 }: ScopeSample, hold: HoldRecord | undefined): Rest {
    const spent = settled + uncertain;
    const refused = /up to \$(\d+\.(\d+))/.exec(hold?.reason ?? '');
    const roundedBy = 0.5 * 10 ** -(refused?.[2]?.length ?? 0);
    const refusedAtMost = (Number(refused?.[1] ?? 0) + roundedBy) * 1e9;
    const problems: string[] = [];
    if (limit !== this.#limit) problems.push(`${this.#scope} has the limit ${limit}, not ${this.#limit}`);
    const returned = this.#returned + this.#forgotten();
    if (limit - spent > refusedAtMost + returned) {
      problems.push(
        `${this.#scope} stopped with ${limit - spent} of ${limit} nano-dollars left, more than the refused call ` +
          `(${refused?.[0]}) and the returned ${returned}: ${hold?.reason}`,
      );
    }
    return { use: (spent + returned) / limit, problems };
  }

  #find(sample: Sample): ScopeSample {
    const scope = sample.scopes.find(({ name }) => name === this.#scope);
    if (scope === undefined) throw new Error(`${this.#scope} is not watched`);
    return scope;
  }

  #hold(sample: Sample): HoldRecord | undefined {
    return [...sample.batches.map(({ pauses }) => pauses), ...sample.holds]
      .flatMap((json) => JSON.parse(json) as HoldRecord[])
      .find(({ cause, scope, limit }) => cause === 'budget' && scope === this.#scope && limit === this.#limit);
  }
}

/**
 * Sets a limit again where it is not what it was set to: a server that syncs its log once a second may forget what an
 * operator has just typed, and who sees that types it again.
 *
 * @param wanted what it was set to last; undefined: nothing yet
 */
export function retypeLimit(
  sampler: Sampler,
  scope: ScopeName,
  wanted: () => number | undefined,
  ledger: Pick<Ledger, 'setLimit'>,
): void {
  let isTyping = false;
  sampler.onSample(({ scopes }) => {
    const limit = wanted();
    if (limit === undefined || isTyping || scopes.find(({ name }) => name === scope)?.limit === limit) return;
    isTyping = true;
    const typed = ledger.setLimit(scope, limit).catch(() => {});
    void typed.finally(() => {
      isTyping = false;
    });
  });
}
