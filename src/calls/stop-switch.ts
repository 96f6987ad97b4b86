import { StopError, type StopReason } from './stop.ts';

/** Whether work continues: no new calls once it is stopped, and none at all once it is forced. */
export class StopSwitch {
  readonly #stop = new AbortController();
  readonly #force = new AbortController();
  #reason: StopReason | undefined;

  /** Aborts when no new call may begin; calls in flight continue, because they are paid for. */
  get stopping(): AbortSignal {
    return this.#stop.signal;
  }

  /** Aborts calls in flight too: the grace time of a shutdown is over. */
  get forced(): AbortSignal {
    return this.#force.signal;
  }

  get reason(): StopReason | undefined {
    return this.#reason;
  }

  /** The first reason counts, but being fenced outweighs all others. */
  stop(reason: StopReason): void {
    if (this.#reason === undefined || reason.kind === 'fenced') this.#reason = reason;
    this.#stop.abort();
  }

  /** Stops it from inside its own work. */
  stopAndThrow(reason: StopReason): never {
    this.stop(reason);
    throw new StopError(reason);
  }

  force(): void {
    this.stop({ kind: 'shutdown' });
    this.#force.abort();
  }

  throwIfStopped(): void {
    if (this.#reason !== undefined) throw new StopError(this.#reason);
  }
}
