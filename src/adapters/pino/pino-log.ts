import { pino } from 'pino';
import type { EventName } from '../../runtime/events.ts';
import type { Log } from '../../runtime/log.ts';
import { RepeatedLines } from './repeated-lines.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Short values could be part of any word; keys are longer. */
const SHORTEST_SECRET = 6;

/**
 * Structured logs on standard error, one JSON object a line. Secrets are removed here and nowhere else: any of them, in
 * any field of any depth, is printed as `***`.
 *
 * @param secrets keys and passwords of this process's config
 * @param now milliseconds, for lines that repeat
 */
export function createLog(
  level: LogLevel,
  secrets: readonly string[],
  write?: (line: string) => void,
  now: () => number = () => performance.now(),
): Log {
  const hidden = secrets.filter((secret) => secret.length >= SHORTEST_SECRET);
  const redact = (line: string) => hidden.reduce((text, secret) => text.replaceAll(secret, '***'), line);
  // Synchronous, so that the last lines before an exit are not lost; a slice or an event a line is little.
  const destination = { write: (line: string) => (write ?? toStandardError)(redact(line)) };
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  const repeated = new RepeatedLines(now);
  const writer =
    (at: 'debug' | 'info' | 'warn' | 'error') =>
    (event: EventName, fields: Readonly<Record<string, unknown>> = {}): void => {
      const left = repeated.pass(event, fields);
      if (left !== undefined) logger[at](left === 0 ? fields : { ...fields, leftOut: left }, event);
    };
  return { debug: writer('debug'), info: writer('info'), warn: writer('warn'), error: writer('error') };
}

function toStandardError(line: string): void {
  process.stderr.write(line);
}
