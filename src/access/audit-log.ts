/** Something that a person or a program has changed. */
export interface AuditEntry {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** A key's name, `user@host` of a command line, or what the library's user calls itself. */
  readonly who: string;
  readonly action: AuditAction;
  /** A scope, a batch, a workflow or a key. */
  readonly target: string;
  readonly before?: string;
  readonly after?: string;
}

export const AUDIT_ACTIONS = [
  'budget:set',
  'budget:discard',
  'limits:apply',
  'batch:submit',
  'batch:pause',
  'batch:resume',
  'batch:cancel',
  'batch:retry',
  'batch:delete',
  'batch:keep',
  'batch:unkeep',
  'workflow:pause',
  'workflow:resume',
  'schedule:run',
  'schedule:pause',
  'schedule:resume',
  'redis:recover',
  'key:create',
  'key:revoke',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** Entries with their place in the log, which orders them. */
export interface AuditRecord extends AuditEntry {
  readonly id: string;
}

/** Append-only: nothing in the program changes an entry; the oldest leave beyond the most that are kept, or by `retention.audit`. */
export interface AuditLog {
  append(entry: AuditEntry): Promise<void>;
  /** Newest first. @param before only older ones than this id */
  list(limit: number, before?: string): Promise<readonly AuditRecord[]>;
  /** Removes entries of before `at`, milliseconds since the epoch: what `retention.audit` says. */
  removeBefore(at: number): Promise<void>;
}
