import { chance } from '../../src/simulator/random.ts';

/**
 * What can befall the whole cluster beside the deaths of workers and the provider's own faults, and what may be in use
 * meanwhile. At most one of a group is drawn for a seed; a run may name any.
 */
export const FAULT_GROUPS = {
  redis: ['redis-kill', 'redis-kill-everysec', 'redis-failover', 'redis-loss'],
  connection: ['redis-cut', 'redis-slow'],
  store: [
    's3',
    'store-5xx',
    'store-slow',
    'store-refusing',
    'store-partial',
    'store-full',
    'files-refusing',
    'files-full',
  ],
  process: ['submitter-kill', 'server-kill', 'finalizer-kill', 'scheduler-kill', 'clock'],
  end: ['cancel', 'expires'],
  feature: ['cache', 'drain', 'fallback', 'quota', 'digest', 'canary', 'candidate', 'power'],
} as const;

export type FaultName = (typeof FAULT_GROUPS)[keyof typeof FAULT_GROUPS][number];

export const FAULT_NAMES: readonly FaultName[] = Object.values(FAULT_GROUPS).flat();

/** One moment of a fault: it begins, lasts and is fixed. */
export interface Blow {
  readonly kind: FaultName;
  /** Milliseconds after the action before it. */
  readonly afterMs: number;
  readonly lastsMs: number;
  /** How hard, from 0 up to but not including 1: each fault says of what. */
  readonly force: number;
}

/** The faults of a seed that names none: one of each group in half of the seeds. */
export function drawFaults(seed: number): readonly FaultName[] {
  return Object.entries(FAULT_GROUPS).flatMap(([group, names]) => {
    if (chance(seed, 'chaos faults', group) < 0.5) return [];
    const name = names[Math.floor(chance(seed, 'chaos faults', `which ${group}`) * names.length)];
    return name === undefined ? [] : [name];
  });
}

/** @throws with the known names, if one is not known */
export function readFaults(text: string): readonly FaultName[] {
  const names = text.split(',').filter((name) => name !== '' && name !== 'none');
  return names.map((name) => {
    const known = FAULT_NAMES.find((each) => each === name);
    if (known === undefined) throw new Error(`There is no fault ${name}. There are: ${FAULT_NAMES.join(', ')}, none.`);
    return known;
  });
}

/** These are no blow: the whole scenario is like that. */
const LASTING: ReadonlySet<FaultName> = new Set([
  's3',
  ...FAULT_GROUPS.process,
  ...FAULT_GROUPS.end,
  ...FAULT_GROUPS.feature,
]);

/** These strike once: nothing is left to fail over to, and no checkpoint is young enough for a second loss. */
const ONCE: ReadonlySet<FaultName> = new Set(['redis-failover', 'redis-loss']);

/** When each fault strikes, and how hard: most of them two or three times. */
export function drawBlows(seed: number, faults: readonly FaultName[]): readonly Blow[] {
  return faults.flatMap((kind) => {
    if (LASTING.has(kind)) return [];
    const draw = (purpose: string) => chance(seed, 'chaos blow', `${kind} ${purpose}`);
    return Array.from({ length: ONCE.has(kind) ? 1 : 2 + Math.floor(2 * draw('count')) }, (_, index) => ({
      kind,
      afterMs: Math.floor(100 + 1_200 * draw(`after ${index}`)),
      lastsMs: Math.floor(200 + 2_300 * draw(`lasts ${index}`) ** 2),
      force: draw(`force ${index}`),
    }));
  });
}
