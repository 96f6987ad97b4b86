import { batchTimezones } from '../../../config/config.ts';
import type { App } from '../../app.ts';
import { CallOwner } from '../../calls/call-owner.ts';

/**
 * Asks models beside all batches: the calls are held and booked under the limits of `workflow`, which is in no config, and
 * those in flight are given up when the signal aborts.
 *
 * @param done what is kept of the calls, also where the work has failed; the owner's journal is gone after it
 * @throws what `work` throws
 */
export async function withCallOwner<T>(
  app: App,
  workflow: string,
  signal: AbortSignal,
  work: (owner: CallOwner) => Promise<T>,
  done: (owner: CallOwner) => Promise<void> = async () => {},
): Promise<T> {
  await using _lease = await app.lease.hold();
  const claim = await app.owners.open({
    id: `${workflow}-${app.slices.newId()}`,
    workflow,
    timezones: batchTimezones(app.config, workflow),
  });
  const owner = new CallOwner(claim, new Map());
  const force = () => owner.force();
  signal.addEventListener('abort', force, { once: true });
  try {
    return await work(owner);
  } finally {
    signal.removeEventListener('abort', force);
    await done(owner);
    await app.owners.close(claim);
  }
}
