import { playEscrow } from '../scale/escrow-model.ts';
import { printSetting, printTable } from './helpers/table.ts';

export const summary = 'One limit shared by several Redis through escrow: a simulation with deaths';

const SEEDS = 20;
const LIMIT = 100_000_000;
const MAX_HOLD = 2_000;

export async function run(): Promise<void> {
  printSetting(
    `Escrow: a limit of ${LIMIT.toLocaleString('en')}, holds of up to ${MAX_HOLD.toLocaleString('en')}, ${SEEDS} seeds a row, the worst of them shown.
A ledger that dies loses what it wrote since its last sync; where it stays dead, the deaths after nine tenths of the limit do.`,
  );
  const rows = [
    ['Redis', 'deaths a million calls', 'come back', 'over the limit', 'used', 'stranded', 'trips a thousand calls'],
  ];
  for (const ledgers of [2, 4, 8, 16]) {
    for (const [deaths, lastStayDead] of [
      [0, false],
      [1e-4, false],
      [1e-4, true],
    ] as const) {
      const outcomes = Array.from({ length: SEEDS }, (_, seed) =>
        playEscrow({ ledgers, limit: LIMIT, mostHold: MAX_HOLD, deaths, lastStayDead, seed }),
      );
      rows.push([
        String(ledgers),
        String(deaths * 1e6),
        lastStayDead ? 'not at the end' : 'yes',
        String(Math.max(...outcomes.map(({ overshoot }) => overshoot))),
        percent(Math.min(...outcomes.map(({ used }) => used))),
        percent(Math.max(...outcomes.map(({ stranded }) => stranded))),
        Math.max(...outcomes.map(({ trips, calls }) => (trips / calls) * 1_000)).toFixed(2),
      ]);
    }
  }
  printTable({ caption: 'One limit over several Redis', rows });
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}
