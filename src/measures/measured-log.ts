import type { Log } from '../runtime/log.ts';
import type { Meter } from './meter.ts';

/** Counts events whatever the level of the log. */
export function measuredLog(log: Log, meter: Meter | undefined): Log {
  if (meter === undefined) return log;
  const counted =
    (level: keyof Log): Log[keyof Log] =>
    (event, fields) => {
      meter.logged(event);
      log[level](event, fields);
    };
  return { debug: counted('debug'), info: counted('info'), warn: counted('warn'), error: counted('error') };
}
