import { EventEmitter, once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Action } from './scenario.ts';
import type { Stage } from './stage.ts';

const COMMIT_WITHIN_MS = 1_500;

/** Works through the scenario's actions while it is not paused. */
export class Unrest implements Disposable {
  readonly #actions: Action[];
  readonly #stage: Stage;
  readonly #commits = new EventEmitter();
  #run: { readonly abort: AbortController; readonly ended: Promise<void> } | undefined;

  /** @param store tells when a slice's rows are written, just before they are committed */
  constructor(actions: readonly Action[], stage: Stage, store: { onRows(listener: () => void): void }) {
    this.#actions = [...actions];
    this.#stage = stage;
    store.onRows(() => this.#commits.emit('commit'));
  }

  begin(): void {
    if (this.#run !== undefined) return;
    const abort = new AbortController();
    this.#run = { abort, ended: this.#act(abort.signal) };
  }

  async #act(signal: AbortSignal): Promise<void> {
    for (let action = this.#actions[0]; action !== undefined; action = this.#actions[0]) {
      await delay(action.afterMs, undefined, { signal }).catch(() => {});
      if ('atCommit' in action && action.atCommit) {
        const patience = AbortSignal.any([signal, AbortSignal.timeout(COMMIT_WITHIN_MS)]);
        await once(this.#commits, 'commit', { signal: patience }).catch(() => {});
      }
      if (signal.aborted) return;
      this.#actions.shift();
      this.#stage.act(action);
    }
  }

  async pause(): Promise<void> {
    this.#run?.abort.abort();
    await this.#run?.ended;
    this.#run = undefined;
  }

  /** Resolves when no action is left. */
  async finished(): Promise<void> {
    await this.#run?.ended;
  }

  [Symbol.dispose](): void {
    this.#run?.abort.abort();
  }
}
