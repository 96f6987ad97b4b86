import type { EventName } from './events.ts';

/**
 * Events are `noun:verb` with ids and numbers. Document text and keys never go into a field; one redaction in the
 * adapter stands behind that.
 */
export interface Log {
  debug(event: EventName, fields?: Readonly<Record<string, unknown>>): void;
  info(event: EventName, fields?: Readonly<Record<string, unknown>>): void;
  warn(event: EventName, fields?: Readonly<Record<string, unknown>>): void;
  error(event: EventName, fields?: Readonly<Record<string, unknown>>): void;
}
