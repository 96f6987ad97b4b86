import { pino } from 'pino';
import type { Log } from '../../runtime/log.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Short values could be part of any word; keys are longer. */
const SHORTEST_SECRET = 6;

/**
 * Structured logs on standard error, one JSON object a line. Secrets are removed here and nowhere else: any of them, in
 * any field of any depth, is printed as `***`.
 *
 * @param secrets keys and passwords of this process's config
 */
export function createLog(level: LogLevel, secrets: readonly string[], write?: (line: string) => void): Log {
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
  return {
    debug: (event, fields) => logger.debug(fields ?? {}, event),
    info: (event, fields) => logger.info(fields ?? {}, event),
    warn: (event, fields) => logger.warn(fields ?? {}, event),
    error: (event, fields) => logger.error(fields ?? {}, event),
  };
}

function toStandardError(line: string): void {
  process.stderr.write(line);
}
