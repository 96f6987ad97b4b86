import type { Mutation } from './mutation.ts';

/** Lines that stand between the program and a fault of its cluster, each with a small scenario that needs it. */
export const CHAOS_MUTATIONS: readonly Mutation[] = [
  {
    name: 'the cache answers another question',
    file: 'store/store-keys.ts',
    line: 'cachedAnswer: (callKey: string) => `cache/${callKey.slice(0, 2)}/${callKey}.json`,',
    broken: 'cachedAnswer: (_callKey: string) => `cache/00/00.json`,',
    judge: { seed: 80, faults: 'cancel,cache,candidate,digest' },
  },
  {
    name: 'what a digest costs is in no limit of the day',
    file: 'calls/admit-call.ts',
    line: 'scopes: scopesOf(claim, at, claim.timezones),',
    broken: "scopes: scopesOf(claim, at, claim.timezones).slice(0, claim.batchId.startsWith('~') ? 1 : undefined),",
    judge: { seed: 80, faults: 'cancel,cache,candidate,digest' },
  },
  {
    name: 'what a candidate costs is in no row',
    file: 'slices/slice-rows.ts',
    line: 'for (const entry of journal) spent.set(',
    broken: 'for (const entry of journal) if (entry.tier < 2) spent.set(',
    judge: { seed: 80, faults: 'cancel,cache,candidate,digest' },
  },
  {
    name: 'a submission that was cut off counts as done',
    file: 'batches/submit-batch.ts',
    line: "if (known.state !== 'ingesting') {",
    broken: 'if (true) {',
    judge: { seed: 80, faults: 'submitter-kill,server-kill' },
  },
  {
    name: 'the lock of a submission outlives its process',
    file: 'adapters/redis/scripts/lock.ts',
    line: "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])",
    broken: "redis.call('SET', KEYS[1], ARGV[1])",
    judge: { seed: 80, faults: 'submitter-kill,server-kill' },
  },
  {
    name: 'recovery forgets what the day has cost',
    file: 'operations/recovery/recover.ts',
    line: 'await app.memory.book({ name, period }, identity, settled, uncertain + held);',
    broken: '',
    judge: { seed: 80, faults: 'redis-loss' },
  },
  {
    name: 'recovery forgets what was committed',
    file: 'operations/recovery/recover.ts',
    line: 'found.set(slice, commit);',
    broken: '',
    judge: { seed: 80, faults: 'redis-loss' },
  },
  {
    name: 'a committed slice leaves its paid replies in Redis',
    file: 'adapters/redis/scripts/slices.ts',
    line: "redis.call('UNLINK', KEYS[4])",
    broken: '',
    judge: { seed: 80, faults: 'none' },
  },
  {
    name: 'uncertain money leaves room under a limit',
    file: 'adapters/redis/scripts/admit.ts',
    line: 'scope.settled + scope.uncertain + scope.held + amount > scope.limit',
    broken: 'scope.settled + scope.held + amount > scope.limit',
    judge: { seed: 80, faults: 'none' },
  },
  {
    name: 'a call of a dead worker is listed as uncertain, and not booked',
    file: 'adapters/redis/scripts/reap.ts',
    line: "redis.call('HINCRBY', KEYS[i], 'uncertain', string.format('%.0f', held - booked))",
    broken: '',
    judge: { seed: 80, faults: 'none' },
  },
];
