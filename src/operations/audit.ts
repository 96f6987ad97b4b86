import type { AuditAction, AuditRecord } from '../access/audit-log.ts';
import type { App } from '../app.ts';

/** Notes who changed what; written after the change, so that the log holds nothing that did not happen. */
export async function writeAudit(
  app: Pick<App, 'audit' | 'actor' | 'clock'>,
  action: AuditAction,
  target: string,
  before?: string,
  after?: string,
): Promise<void> {
  await app.audit.append({
    at: app.clock.now(),
    who: app.actor,
    action,
    target,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  });
}

/** An entry as JSON gives it. */
export function auditJson({ at, ...entry }: AuditRecord): object {
  return { at: new Date(at).toISOString(), ...entry };
}
