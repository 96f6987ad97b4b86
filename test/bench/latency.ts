import { type Latency, LatencySum } from '../../src/measures/latency.ts';
import { Random } from '../helpers/random.ts';
import { printSetting, printTable } from './helpers/table.ts';

const CALLS = 1_000_000;
const SLICES = 1_000;

export const summary =
  'What it costs to note the times of a call, to its first byte and its last, and to add up those of slices';

export async function run(): Promise<void> {
  printSetting(
    `Latency: ${CALLS.toLocaleString('en')} calls are noted, ${SLICES.toLocaleString('en')} slices added up.`,
  );
  const random = new Random(1);
  const times = Float64Array.from({ length: CALLS }, () => 100 + 20_000 * random.next() ** 4);
  const whole = new LatencySum();
  const noted = nanosecondsOf(() => {
    for (const time of times) whole.add(time, 100, time / 2);
  });
  const parts = Array.from({ length: SLICES }, (_, slice) => {
    const sum = new LatencySum();
    for (const time of times.subarray(slice * 64, slice * 64 + 64)) sum.add(time, 100, time / 2);
    return sum.total();
  });
  const total = new LatencySum();
  const merged = nanosecondsOf(() => {
    for (const part of parts) if (part !== undefined) total.addPart(part);
  });
  printTable({
    caption: 'Times of calls',
    rows: [
      [
        'ns a call',
        'µs a slice of 64 added up',
        `sketch of ${CALLS.toLocaleString('en')} calls, bytes`,
        'sketch of 64 calls, bytes',
      ],
      [
        (noted / CALLS).toFixed(0),
        (merged / SLICES / 1_000).toFixed(1),
        String(bytesOf(whole.total())),
        String(bytesOf(parts[0])),
      ],
    ],
  });
}

function bytesOf(latency: Latency | undefined): number {
  return (latency?.sketch.length ?? 0) + (latency?.firstByte?.sketch.length ?? 0);
}

function nanosecondsOf(work: () => void): number {
  const start = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - start);
}
