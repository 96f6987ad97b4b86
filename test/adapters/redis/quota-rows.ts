import type { Redis } from 'ioredis';
import type { PoolLimits } from '../../../src/ledger/pool-limits.ts';
import type { LimitManners } from '../../../src/simulator/options.ts';
import { type Outcome, playScene } from './paced-cluster.ts';

const LIMITS = { requestsPerMinute: 1_500 };
const SECONDS = 120;
/** The provider's minutes are not those that are counted here, so two of them are. */
const WINDOW_SECONDS = 180;
const WARM_UP_SECONDS = 60;

export interface QuotaRow {
  readonly name: string;
  readonly manners: LimitManners;
  readonly stated?: PoolLimits;
  /** Share of the limit that must be used, and of the calls that may be refused. */
  readonly least: number;
  readonly mostRefused: number;
}

export const QUOTA_ROWS: readonly QuotaRow[] = [
  { name: 'limits stated in the config', manners: { headers: 'none' }, stated: LIMITS, least: 0.985, mostRefused: 0 },
  { name: 'headers with reset', manners: {}, least: 0.985, mostRefused: 0 },
  { name: 'headers without reset, exact waits', manners: { headers: 'noReset' }, least: 0.9, mostRefused: 0.02 },
  {
    name: 'headers without reset, exact waits, refused calls count',
    manners: { headers: 'noReset', refusalsCount: true },
    least: 0.9,
    mostRefused: 0.02,
  },
  { name: 'nothing but the 429', manners: { headers: 'none', waits: 'none' }, least: 0.9, mostRefused: 0.02 },
  {
    name: 'nothing but the 429, refused calls count',
    manners: { headers: 'none', waits: 'none', refusalsCount: true },
    least: 0.9,
    mostRefused: 0.02,
  },
  {
    name: 'fixed windows of a minute, retry-after',
    manners: { headers: 'none', waits: 'seconds', window: 'minute' },
    least: 0.9,
    mostRefused: 0.02,
  },
];

/** One row with so many workers, from the second minute on. */
export async function playRow(redis: Redis, row: QuotaRow, workers: number): Promise<Outcome> {
  const { manners, stated } = row;
  const seconds = manners.window === 'minute' ? WINDOW_SECONDS : SECONDS;
  const scene = { manners, limits: LIMITS, workers, seconds, countFrom: WARM_UP_SECONDS };
  return await playScene(redis, stated === undefined ? scene : { ...scene, stated });
}
