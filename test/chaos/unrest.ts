import { EventEmitter, once } from 'node:events';
import { type FSWatcher, watch } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from './cluster.ts';
import type { Action } from './scenario.ts';

const COMMIT_WITHIN_MS = 1_500;

/** Works through the scenario's actions while it is not paused. */
export class Unrest implements Disposable {
  readonly #actions: Action[];
  readonly #cluster: Cluster;
  readonly #commits = new EventEmitter();
  readonly #watcher: FSWatcher;
  #run: { readonly abort: AbortController; readonly ended: Promise<void> } | undefined;

  /** @param store folder of the file store, where a slice's rows show up just before they are committed */
  constructor(actions: readonly Action[], cluster: Cluster, store: string) {
    this.#actions = [...actions];
    this.#cluster = cluster;
    this.#watcher = watch(store, { recursive: true }, (_event, name) => {
      if (name?.includes('/work/') === true) this.#commits.emit('commit');
    });
    // Folders vanish under the watcher when a batch has ended.
    this.#watcher.on('error', () => {});
  }

  begin(): void {
    if (this.#run !== undefined) return;
    const abort = new AbortController();
    this.#run = { abort, ended: this.#act(abort.signal) };
  }

  async #act(signal: AbortSignal): Promise<void> {
    for (let action = this.#actions[0]; action !== undefined; action = this.#actions[0]) {
      await delay(action.afterMs, undefined, { signal }).catch(() => {});
      if (action.atCommit) {
        const patience = AbortSignal.any([signal, AbortSignal.timeout(COMMIT_WITHIN_MS)]);
        await once(this.#commits, 'commit', { signal: patience }).catch(() => {});
      }
      if (signal.aborted) return;
      this.#actions.shift();
      this.#cluster.act(action);
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
    this.#watcher.close();
  }
}
