import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { AlertMemory } from './alert-memory.ts';
import type { AlertSink } from './alert-sink.ts';
import type { Notify } from './notice.ts';

/** Sends each notice once in the cluster. */
export function openNotifier({
  memory,
  sink,
  clock,
  log,
}: {
  readonly memory: AlertMemory;
  readonly sink: AlertSink;
  readonly clock: Clock;
  readonly log: Log;
}): Notify {
  return async (notice) => {
    try {
      if (await memory.remember(`notice|${notice.event}|${notice.key}`)) sink.send(notice, clock.now());
    } catch (error) {
      log.warn('alert:lost', { event: notice.event, subject: notice.subject, reason: (error as Error).message });
    }
  };
}
