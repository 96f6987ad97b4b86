import type { App } from '../app.ts';
import { workersOf } from '../batches/worker-registry.ts';
import { openBreaker } from '../budgets/breaker.ts';
import type { StopReason } from '../calls/stop.ts';
import type { BatchOwner, Timezones } from '../ledger/scope.ts';
import { allTiers, type WorkflowSpec } from '../workflows/workflow.ts';
import { describeMissing, describeNotLocal, missingProviders, notLocalProviders } from './missing-providers.ts';
import { serverToWaitFor } from './power/keep-power.ts';
import type { RefusedKeys } from './refused-keys.ts';

type Owner = BatchOwner & { readonly timezones: Timezones };

/** What this worker can work on: a condition of its own is never a property of a document, nor of other workers. */
export class WorkerAbilities {
  readonly #app: App;
  readonly #keys: RefusedKeys;

  constructor(app: App, keys: RefusedKeys) {
    this.#app = app;
    this.#keys = keys;
  }

  /** Whether a batch has to be left to others; said in `status`, and once in the log. */
  async leaves(batchId: string, workflow: WorkflowSpec): Promise<boolean> {
    const { config, slices } = this.#app;
    const tiers = allTiers(workflow);
    const missing = missingProviders(tiers, config.providers);
    const notLocal = workflow.private === true ? notLocalProviders(tiers, slices.localProviders) : [];
    const why =
      missing.length > 0
        ? describeMissing(missing, config.file)
        : notLocal.length > 0
          ? describeNotLocal(notLocal, config.file)
          : (this.#keys.whyNot(tiers) ?? (await this.#whyNotYet(workflow)));
    if (why === undefined) return false;
    await this.#noteUnable(batchId, why);
    return true;
  }

  /**
   * Opens the breaker that a stopped slice calls for. A refused key opens none while another live worker can continue: this
   * one leaves the work to it.
   *
   * @returns `left`: to others
   */
  async stopped(claim: Owner, reason: StopReason | undefined): Promise<'left' | 'stopped'> {
    if (reason?.kind !== 'budget' && reason?.kind !== 'provider') return 'stopped';
    if (reason.kind === 'provider' && reason.hold.ofWorker === true) {
      const why = `the provider refuses its key. ${reason.hold.reason}`;
      await this.#noteUnable(claim.batchId, why);
      if (await this.#othersCan(claim)) {
        await this.#tellRefused(reason.provider, why);
        return 'left';
      }
      this.#keys.forget(reason.provider);
    }
    await openBreaker(this.#app.breaker, claim, reason);
    return 'stopped';
  }

  async #whyNotYet({ cascade }: WorkflowSpec): Promise<string | undefined> {
    const server = await serverToWaitFor(this.#app, cascade);
    return server === undefined
      ? undefined
      : `the server of provider ${server} is not on yet (providers.${server}.power)`;
  }

  async #othersCan({ batchId, workflow }: BatchOwner): Promise<boolean> {
    const [live, unable] = await Promise.all([this.#app.workers.live(), this.#app.batches.unable(batchId)]);
    const self = this.#app.lease.workerId;
    return workersOf(live, workflow).some(({ id, trouble }) => id !== self && trouble === undefined && !unable.has(id));
  }

  async #tellRefused(provider: string, why: string): Promise<void> {
    if (!this.#keys.note(provider, why)) return;
    const { log, lease, breaker } = this.#app;
    log.error('key:refused', { provider, reason: why });
    await breaker.notify({
      event: 'key:refused',
      subject: lease.workerId,
      message: `Worker ${lease.workerId} leaves its work to others: ${why} Set the key and restart this worker.`,
      details: { provider },
      key: `${lease.workerId}|${provider}`,
    });
  }

  async #noteUnable(batchId: string, why: string): Promise<void> {
    const { batches, lease, log } = this.#app;
    const known = await batches.unable(batchId);
    if (known.get(lease.workerId) !== why) {
      log.warn('slice:deferred', { batch: batchId, reason: `This worker cannot work on it: ${why}.` });
    }
    await batches.noteUnable(batchId, lease.workerId, why);
  }
}
