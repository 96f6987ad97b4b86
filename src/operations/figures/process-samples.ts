import { version } from '../../../config/version.ts';
import type { App } from '../../app.ts';
import type { HistogramSample, Sample } from '../../measures/exposition.ts';
import type { ProcessMeter } from '../../measures/process-meter.ts';

/** What this process has done, and what it is. */
export function* processSamples(
  app: Pick<App, 'lease' | 'slices'>,
  meter: ProcessMeter,
): Generator<Sample | HistogramSample> {
  yield* meter.samples();
  const { user, system } = process.cpuUsage();
  yield { name: 'nightmill_lease_losses_total', labels: [], value: app.lease.losses };
  yield { name: 'nightmill_slices_in_hand', labels: [], value: app.slices.runs.size };
  yield { name: 'nightmill_build_info', labels: [version()], value: 1 };
  yield { name: 'process_cpu_seconds_total', labels: [], value: (user + system) / 1_000_000 };
  yield { name: 'process_resident_memory_bytes', labels: [], value: process.memoryUsage.rss() };
}
