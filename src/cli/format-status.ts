import type { BatchStatus } from '../batches/batch-status.ts';
import type { ModelTotals } from '../batches/model-totals.ts';
import { describeQuota } from '../ledger/describe-quota.ts';
import type { Pause } from '../ledger/pause.ts';
import { parseScope } from '../ledger/scope.ts';
import { latencyFigures } from '../measures/latency.ts';
import { formatUsd } from '../money/money.ts';

/** A few lines for people: what, how far, what it cost, and if it stands still, why and what to do. */
export function statusLines(status: BatchStatus): string {
  const { documents, breaker } = status;
  const counts = (['succeeded', 'failed', 'skipped', 'cancelled', 'expired'] as const)
    .filter((outcome) => documents[outcome] > 0)
    .map((outcome) => `${documents[outcome].toLocaleString('en')} ${outcome}`);
  const limit = status.limit === undefined ? '' : ` of ${formatUsd(status.limit)}`;
  const lines = [
    `${status.batchId}  ${status.state}  (${status.workflow})`,
    `  documents  ${documents.done.toLocaleString('en')} of ${documents.total.toLocaleString('en')} done${counts.length === 0 ? '' : `: ${counts.join(', ')}`}`,
    `  money      ${formatUsd(status.spent)}${limit} spent, ${formatUsd(status.held)} held for calls in flight` +
      (status.uncertain === 0 ? '' : `, of it ${formatUsd(status.uncertain)} uncertain`) +
      (status.projected === undefined || documents.done === documents.total
        ? ''
        : `; projected ${formatUsd(status.projected)}`),
    ...(status.etaSeconds === undefined || status.state !== 'running'
      ? []
      : [`  ends in    about ${formatDuration(status.etaSeconds)}`]),
    ...(nobodyWorks(status)
      ? [`  workers    no worker is alive for ${status.workflow}: start one with nightmill worker`]
      : []),
  ];
  for (const model of status.models ?? []) {
    const speed = speedOf(model);
    if (speed !== undefined) lines.push(`  speed      ${speed}`);
  }
  const { hold, tightest } = breaker;
  if (hold !== undefined) {
    for (const pause of breaker.pauses ?? []) {
      lines.push(`  paused     since ${new Date(pause.since).toISOString()} by ${pause.cause}: ${pause.reason}`);
      lines.push(`  to go on   ${howToGoOn(status, pause)}`);
    }
  } else if (breaker.state === 'warning' && tightest !== undefined) {
    lines.push(
      `  warning    ${formatUsd(tightest.spent)} of ${formatUsd(tightest.limit)} of ${tightest.scope} are spent`,
    );
  }
  for (const quota of status.quotas ?? []) {
    const found = describeQuota(quota, Date.now());
    if (found !== '') lines.push(`  quota      pool ${quota.pool}: ${found}`);
  }
  for (const [worker, why] of status.unable) lines.push(`  left out   worker ${worker} cannot work on it: ${why}`);
  return `${lines.join('\n')}\n`;
}

function speedOf({ model, provider, latency }: ModelTotals): string | undefined {
  if (latency === undefined) return undefined;
  const { calls, p50Ms, p95Ms, tokensPerSecond } = latencyFigures(latency);
  const where = provider === undefined ? model : `${model} at ${provider}`;
  return `${where}: p50 ${seconds(p50Ms)}, p95 ${seconds(p95Ms)}, ${tokensPerSecond} tokens/s over ${calls.toLocaleString('en')} calls`;
}

function seconds(milliseconds: number): string {
  return milliseconds < 1_000 ? `${milliseconds} ms` : `${(milliseconds / 1_000).toFixed(1)} s`;
}

function nobodyWorks({ workersAlive }: BatchStatus): boolean {
  return workersAlive === 0;
}

function howToGoOn(status: BatchStatus, pause: Pause & { readonly of: 'batch' | 'workflow' }): string {
  const { batchId, workflow } = status;
  if (pause.cause === 'budget') {
    const alone =
      pause.period === undefined
        ? ''
        : ` It also goes on by itself when a new period begins${nobodyWorks(status) ? ' and a worker is alive' : ''}.`;
    return `nightmill budget set ${pause.scope ?? `batch:${batchId}`} USD${parseScope(pause.scope ?? '')?.kind === 'batch' ? `, or the same run with a higher --budget` : ''}.${alone}`;
  }
  if (pause.cause === 'provider' && pause.retry === true) {
    return nobodyWorks(status)
      ? 'start a worker: it tries the provider again by itself.'
      : 'nothing: the provider is tried again by itself.';
  }
  return `nightmill resume ${pause.of === 'batch' ? batchId : workflow}`;
}

export function formatDuration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
