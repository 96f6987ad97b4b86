import type { Admission, CallTicket, QuotaWait } from '../../../ledger/ledger.ts';
import { formatHoldDetails, formatHoldOwn } from '../hold-record.ts';
import { decodeEntry } from '../journal-codec.ts';
import type { RedisKeys } from '../keys.ts';
import type { RedisClient } from '../redis-options.ts';
import { ADMIT } from '../scripts/admit.ts';
import { limitNumbers } from '../scripts/quota.ts';
import { runScript } from '../scripts/run-script.ts';
import { poolOf, TurnTable, turnOf } from './turn-table.ts';
import { Turns } from './turns.ts';

export interface AskingCall {
  readonly ticket: CallTicket;
  /** Its hold is filed under this id. */
  readonly workerId: string;
}

/** `lease_lost`: the worker id's lease has ended; nothing was decided about the call. */
export type AdmissionAnswer = Admission | { readonly kind: 'lease_lost' };

/** Where calls ask for admission: together with those of the same turn that have the same pool and worker id. */
export function admissionTurns(redis: RedisClient, keys: RedisKeys): Turns<AskingCall, AdmissionAnswer> {
  return new Turns<AskingCall, AdmissionAnswer>({
    groupOf: turnOf,
    bytesOf: () => 0,
    ask: (asking) => askTogether(redis, keys, asking),
  });
}

async function askTogether(
  redis: RedisClient,
  keys: RedisKeys,
  asking: readonly AskingCall[],
): Promise<readonly AdmissionAnswer[]> {
  const [{ ticket: first, workerId }] = asking as readonly [AskingCall];
  const table = new TurnTable(
    keys,
    [keys.workers, keys.limits, keys.pool(poolOf(first)), keys.holds(workerId)],
    (ticket, slice, scopes) => {
      const limits = ticket.quota === undefined ? [] : [limitNumbers(ticket.quota)];
      return [slice, formatHoldDetails(ticket), ticket.model, scopes, ...limits];
    },
  );
  const calls = asking.map(({ ticket }) => [
    table.kind(ticket),
    ticket.callId,
    ticket.callKey,
    ticket.hold,
    ticket.quota?.inputTokens ?? 0,
    ticket.quota?.outputTokens ?? 0,
    formatHoldOwn(ticket),
    ...(ticket.otherKeys ?? []),
  ]);
  const { slices, scopes, kinds } = table;
  const turn = JSON.stringify({ worker: workerId, slices, scopes, kinds, calls });
  const answers = await runScript<readonly Answer[]>(redis, ADMIT, table.keys, [turn]);
  return answers.map((answer, index) => readAnswer(answer, (asking[index] as AskingCall).ticket));
}

type Answer = number | readonly Buffer[];

function readAnswer(answer: Answer, ticket: CallTicket): AdmissionAnswer {
  if (typeof answer === 'number') {
    return answer > 0 ? { kind: 'admitted', startInMs: answer / 10 } : { kind: 'admitted' };
  }
  const [status, first, ...numbers] = answer;
  switch (String(status)) {
    case 'wait':
      return { kind: 'wait', why: String(first) as QuotaWait, waitMs: Number(numbers[0]) };
    case 'replay':
      return { kind: 'replay', entry: decodeEntry(first as Buffer), callKey: String(numbers[0]) };
    case 'refused': {
      const [limit = 0, settled = 0, uncertain = 0, held = 0, needed = ticket.hold] = numbers.map(Number);
      const more = needed > ticket.hold ? { needed } : {};
      return { kind: 'refused', refusal: { scope: String(first), limit, settled, uncertain, held, ...more } };
    }
    case 'lease_lost':
      return { kind: 'lease_lost' };
    default:
      return { kind: 'fenced' };
  }
}
