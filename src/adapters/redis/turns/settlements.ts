import type { CallTicket, Outcome, Settlement } from '../../../ledger/ledger.ts';
import { AS_TAKEN, type QuotaNeed, type QuotaUse, quotaUse, UNUSED } from '../../../ledger/quota-need.ts';
import { uncertainMiddle } from '../hold-record.ts';
import { decodeEntry } from '../journal-codec.ts';
import type { RedisKeys } from '../keys.ts';
import type { RedisClient } from '../redis-options.ts';
import { useNumbers } from '../scripts/quota.ts';
import { runScript } from '../scripts/run-script.ts';
import { SETTLE } from '../scripts/settle.ts';
import { poolOf, TurnTable, turnOf } from './turn-table.ts';
import { Turns } from './turns.ts';

export interface EndedCall {
  readonly ticket: CallTicket;
  /** Its hold is filed under this id. */
  readonly workerId: string;
  readonly outcome: Outcome;
  /** The reply as the journal keeps it. */
  readonly entry?: string | Buffer;
}

/**
 * How long a call waits to be settled, in milliseconds. Nobody waits for its settlement but its document, while its place
 * at the provider is empty until the next call is admitted: a server that syncs every write syncs for that one first.
 */
export const SETTLE_GATHER_MS = 3;

/** Where calls are settled: together with those that ended at about the same time and have the same pool and worker id. */
export function settlementTurns(redis: RedisClient, keys: RedisKeys, gatherMs: number): Turns<EndedCall, Settlement> {
  return new Turns<EndedCall, Settlement>({
    gatherMs,
    groupOf: turnOf,
    bytesOf: ({ entry }) => entry?.length ?? 0,
    ask: (ended) => settleTogether(redis, keys, ended),
  });
}

async function settleTogether(
  redis: RedisClient,
  keys: RedisKeys,
  ended: readonly EndedCall[],
): Promise<readonly Settlement[]> {
  const [{ ticket: first, workerId }] = ended as readonly [EndedCall];
  const table = new TurnTable(keys, [keys.pool(poolOf(first)), keys.holds(workerId)], (ticket, slice, scopes) => [
    slice,
    uncertainMiddle({ model: ticket.model, slice: ticket.claim.slice }),
    ticket.model,
    scopes,
  ]);
  const entries: (Buffer | string)[] = [];
  const calls = ended.map(({ ticket, outcome, entry }) => [
    table.kind(ticket),
    ticket.callId,
    ticket.callKey,
    outcome.kind,
    outcome.kind === 'reply' ? outcome.entry.cost : 0,
    entry === undefined ? 0 : entries.push(entry) + 1,
    ticket.document ?? -1,
    ticket.at ?? -1,
    requestIdOf(outcome) ?? 0,
    outcome.kind === 'uncertain' ? outcome.reason : 0,
    outcome.kind === 'reply' ? (outcome.beyondCap ?? 0) : 0,
    outcome.kind === 'reply' ? (ticket.otherKeys ?? 0) : 0,
    ...(ticket.quota === undefined ? [] : [useNumbers(useOf(ticket.quota, outcome))]),
  ]);
  const { slices, scopes, kinds } = table;
  const turn = JSON.stringify({ pool: first.quota !== undefined, slices, scopes, kinds, calls });
  const answers = await runScript<readonly Answer[]>(redis, SETTLE, table.keys, [turn, ...entries]);
  return answers.map(readAnswer);
}

function requestIdOf(outcome: Outcome): string | undefined {
  return outcome.kind === 'reply'
    ? outcome.entry.requestId
    : outcome.kind === 'uncertain'
      ? outcome.requestId
      : undefined;
}

type Answer = number | readonly Buffer[];

function readAnswer(answer: Answer): Settlement {
  if (typeof answer === 'number') return { kind: 'settled' };
  const [status, stored, callKey] = answer;
  return String(status) === 'duplicate'
    ? { kind: 'duplicate', entry: decodeEntry(stored as Buffer), callKey: String(callKey) }
    : { kind: 'fenced' };
}

function useOf(need: QuotaNeed, outcome: Outcome): QuotaUse {
  if (outcome.kind === 'reply') return quotaUse(need, outcome.entry.usage);
  return outcome.kind === 'released' && outcome.refused !== true ? UNUSED : AS_TAKEN;
}
