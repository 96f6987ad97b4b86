import { formatMetrics } from '../../src/measures/exposition.ts';
import type { EndedCall } from '../../src/measures/meter.ts';
import { ProcessMeter } from '../../src/measures/process-meter.ts';
import { printSetting, printTable } from './helpers/table.ts';

const CALLS = 1_000_000;
/** CPU of a worker for one call, of docs/benchmarks.md: request, admission, settlement, checks and rows. */
const WORKER_MICROSECONDS_A_CALL = 300;

export const summary = 'What metrics cost a worker for each call, and what reading them takes';

export async function run(): Promise<void> {
  printSetting(`Metrics: ${CALLS.toLocaleString('en')} calls of 200 workflows, three models and 1,000 tenants.`);
  const meter = new ProcessMeter();
  const calls = Array.from({ length: 3_000 }, (_, at): EndedCall => call(at));
  const work = (times: number) => {
    for (let at = 0; at < times; at++) {
      const ended = calls[at % calls.length] as EndedCall;
      meter.callEnded(ended);
      meter.callAdmitted(ended.provider, 12, 500);
    }
  };
  work(100_000);
  const before = process.cpuUsage();
  work(CALLS);
  const { user, system } = process.cpuUsage(before);
  const perCall = (user + system) / CALLS;
  const start = performance.now();
  const text = formatMetrics(meter.samples());
  const readMs = performance.now() - start;
  const workerShare = (perCall / WORKER_MICROSECONDS_A_CALL) * 100;
  printTable({
    caption: 'What metrics cost',
    rows: [
      [
        'CPU µs a call',
        `share of a call's ${WORKER_MICROSECONDS_A_CALL} µs`,
        'kB read',
        'ms to read them',
        'share of a core, read every 15 s',
      ],
      [
        perCall.toFixed(2),
        `${workerShare.toFixed(2)} %`,
        (text.length / 1024).toFixed(0),
        readMs.toFixed(1),
        `${((readMs / 15_000) * 100).toFixed(2)} %`,
      ],
    ],
  });
}

function call(at: number): EndedCall {
  const workflow = `workflow-${at % 200}`;
  return {
    ...{ batch: 'b', slice: 0, document: 0, workflow, tenant: `tenant-${at % 1_000}`, model: `model-${at % 3}` },
    ...{ modelId: 'm', provider: 'cloud', tier: at % 3, outcome: 'reply', durationMs: 100 + at, cost: 1_000 },
    usage: { inputTokens: 500, cachedInputTokens: 0, outputTokens: 40, reasoningTokens: 0 },
    maxOutputTokens: 64,
  };
}
