import type { Mutation } from './mutation.ts';

const LEDGER = ['adapters/redis/ledger.test.ts'];

/** The money core: one guarded line each, and the tests that must notice. */
export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'a worker that lost its slice may buy',
    file: 'adapters/redis/scripts/admit.ts',
    line: "slice.isOwned = redis.call('HGET', KEYS[slice[1]], slice[2]) == slice[3]",
    broken: 'slice.isOwned = true',
    judge: { tests: LEDGER },
  },
  {
    name: 'an admission that is sent again holds twice',
    file: 'adapters/redis/scripts/admit.ts',
    line: 'if record then return 0 end',
    broken: '',
    judge: { tests: LEDGER },
  },
  {
    name: 'a worker whose lease has ended continues under it',
    file: 'adapters/redis/scripts/admit.ts',
    line: "if not hasLease then return {'lease_lost'} end",
    broken: '',
    judge: { tests: LEDGER },
  },
  {
    name: 'calls of one turn do not see what those before them hold',
    file: 'adapters/redis/scripts/admit.ts',
    line: 'scope.settled + scope.uncertain + scope.held + amount > scope.limit',
    broken: 'scope.settled + scope.uncertain + scope.heldBefore + amount > scope.limit',
    judge: { tests: LEDGER },
  },
  {
    name: 'uncertain money leaves room under a limit',
    file: 'adapters/redis/scripts/admit.ts',
    line: 'scope.settled + scope.uncertain + scope.held + amount > scope.limit',
    broken: 'scope.settled + scope.held + amount > scope.limit',
    judge: { tests: ['adapters/redis/ledger-property.test.ts'] },
  },
  {
    name: 'a hold whose call is not to be made any more stays',
    file: 'adapters/redis/scripts/admit.ts',
    line: "book(kind, id, false, 0 - string.match(record, '^%d+'), -1)",
    broken: '',
    judge: { tests: LEDGER },
  },
  {
    name: 'a reply that is paid for is bought again',
    file: 'adapters/redis/scripts/admit.ts',
    line: 'if not slice.isOwned or reply then',
    broken: 'if not slice.isOwned then',
    judge: { tests: LEDGER },
  },
  {
    name: 'a second reply takes the place of the first',
    file: 'adapters/redis/scripts/settle.ts',
    line: "if stored then return {'duplicate', stored, key} end",
    broken: '',
    judge: { tests: LEDGER },
  },
  {
    name: 'a settlement that is sent again books twice',
    file: 'adapters/redis/scripts/settle.ts',
    line: "elseif outcome ~= 'reply' or slice.fence ~= slice[3] or get(slice[4], key) then",
    broken: "elseif outcome ~= 'reply' then",
    judge: { tests: LEDGER },
  },
  {
    name: 'a reply to a slice that is committed counts as settled',
    file: 'adapters/redis/scripts/settle.ts',
    line: "if not slice.fence or slice.fence == 'done' then return {'orphaned'} end",
    broken: '',
    judge: { tests: LEDGER },
  },
  {
    name: 'a call that was reaped is booked twice when its reply comes',
    file: 'adapters/redis/scripts/settle.ts',
    line: `booked = tonumber(string.match(listed, '"nano":(%d+)'))`,
    broken: 'booked = 0',
    judge: { tests: LEDGER },
  },
  {
    name: 'quota that was not used does not come back',
    file: 'adapters/redis/scripts/quota.ts',
    line: "if taken ~= '0' and v[field] then v[field] = v[field] - taken * (1 - uses[d]) end",
    broken: '',
    judge: { tests: ['adapters/redis/quota.test.ts'] },
  },
  {
    name: 'calls of one turn do not see what those before them took of a bucket',
    file: 'adapters/redis/scripts/quota.ts',
    line: 'if cost[d] > 0 then v[FIELDS[d]] = math.max(v[FIELDS[d]] or 0, start) + cost[d] end',
    broken: 'if cost[d] > 0 then v[FIELDS[d]] = math.max(q.was[FIELDS[d]] or 0, start) + cost[d] end',
    judge: { tests: ['adapters/redis/turns/turn-quota.test.ts'] },
  },
  {
    name: 'a living worker’s holds are booked as uncertain',
    file: 'adapters/redis/scripts/reap.ts',
    line: 'if lease and tonumber(lease) >= time[1] * 1000 + math.floor(time[2] / 1000) then return 0 end',
    broken: '',
    judge: { tests: LEDGER },
  },
  {
    name: 'a restored call is booked again where it is known',
    file: 'adapters/redis/scripts/restore.ts',
    line: "if fence == 'done' or stored == record then return 0 end",
    broken: "if fence == 'done' then return 0 end",
    judge: { tests: ['adapters/redis/remembering/remembering-ledger.test.ts'] },
  },
  {
    name: 'an error of one call fails its neighbours',
    file: 'adapters/redis/turns/turns.ts',
    line: 'else for (const one of part) void this.#askTogether([one]);',
    broken: 'else for (const { reject } of part) reject(error);',
    judge: { tests: LEDGER },
  },
];
