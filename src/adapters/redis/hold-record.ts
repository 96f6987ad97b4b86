import type { CallTicket } from '../../ledger/ledger.ts';
import type { Scope } from '../../ledger/scope.ts';

/** What a hold says about its call, so that any worker can book it when its own worker is gone. */
export interface HoldRecord {
  readonly batchId: string;
  readonly slice: number;
  /** Which reply it is to buy: with the journal's keys it shows that none is bought twice. */
  readonly callKey: string;
  readonly model: string;
  readonly document?: number;
  readonly at?: number;
  /** Absent where nothing of a quota was taken. */
  readonly pool?: string;
  readonly scopes: readonly (readonly [name: string, period: string])[];
}

/** The JSON part of a hold; the scripts put the amount before it and what it took of the quota behind it, with `|`. */
export function formatHoldRecord(ticket: CallTicket): string {
  return `{"callKey":${JSON.stringify(ticket.callKey)},${formatHoldOwn(ticket)}${formatHoldDetails(ticket)}`;
}

/** What a hold says of its call alone: fields with a comma behind each. */
export function formatHoldOwn({ document, at }: Pick<CallTicket, 'document' | 'at'>): string {
  return `${document === undefined ? '' : `"document":${document},`}${at === undefined ? '' : `"at":${at},`}`;
}

/** The JSON part of a hold behind its call key: equal for the calls of a slice to one model. */
export function formatHoldDetails({ claim, model, scopes, quota }: CallTicket): string {
  const record: Omit<HoldRecord, 'callKey'> = {
    batchId: claim.batchId,
    slice: claim.slice,
    model,
    ...(quota === undefined ? {} : { pool: quota.pool }),
    scopes: scopes.map((scope) => [scope.name, scope.period]),
  };
  return JSON.stringify(record).slice(1);
}

/** Nano-dollars of a hold as it stands in Redis. */
export function heldAmount(hold: string): number {
  return Number(hold.slice(0, hold.indexOf('|')));
}

/** @param hold as it stands in Redis: `amount|{…}` and perhaps `|costs` */
export function parseHold(hold: string): Omit<HoldRecord, 'scopes'> & { readonly scopes: readonly Scope[] } {
  const record = JSON.parse(hold.slice(hold.indexOf('|') + 1, hold.lastIndexOf('}') + 1)) as HoldRecord;
  return { ...record, scopes: record.scopes.map(([name, period]) => ({ name, period })) };
}

/** What the list of uncertain calls says of a call, behind the amount that the scripts write first: the middle of a JSON object. */
export function uncertainMiddle({ model, slice }: Pick<HoldRecord, 'model' | 'slice'>): string {
  return `"model":${JSON.stringify(model)},"slice":${slice}`;
}

/** The reason of a reply that no row will count. */
export const OTHER_COUNTS = 'another reply to this call counts';

/** What the list of uncertain calls says of one: the rest of the JSON object that a script opens with the amount. */
export function uncertainDetails(
  call: Pick<HoldRecord, 'model' | 'slice' | 'document' | 'at'>,
  reason: string,
  requestId?: string,
): string {
  const asked = requestId === undefined ? '' : `"requestId":${JSON.stringify(requestId)},`;
  return `${uncertainMiddle(call)},${formatHoldOwn(call)}${asked}"reason":${JSON.stringify(reason)}}`;
}
