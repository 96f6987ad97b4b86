import type { BatchPower, BatchStatus, ModelOfBatch } from '../batches/batch-status.ts';
import { describeQuota } from '../ledger/describe-quota.ts';
import type { Pause } from '../ledger/pause.ts';
import { parseScope } from '../ledger/scope.ts';
import { latencyFigures } from '../measures/latency.ts';
import { latencyText, nameAt } from '../measures/latency-text.ts';
import { formatUsd, nanoToDecimal } from '../money/money.ts';
import { powerText } from '../providers/power-book.ts';

/** A few lines for people: what, how far, what it cost, and if it has stopped, why and what to do. */
export function statusLines(status: BatchStatus): string {
  const { documents, breaker } = status;
  const counts = documentCounts(documents);
  const limit = status.limit === undefined ? '' : ` of ${formatUsd(status.limit)}`;
  const lines = [
    titleLine(status),
    `  documents  ${documents.done.toLocaleString('en')} of ${documents.total.toLocaleString('en')} done${counts.length === 0 ? '' : `: ${counts.join(', ')}`}`,
    `  money      ${formatUsd(status.spent)}${limit} spent, ${formatUsd(status.held)} held for calls in flight` +
      (status.uncertain === 0 ? '' : `, of it ${formatUsd(status.uncertain)} uncertain`) +
      (status.projected === undefined || documents.done === documents.total
        ? ''
        : `; projected ${formatUsd(status.projected)}`),
    ...endLines(status),
    ...(nobodyWorks(status)
      ? [`  workers    no worker is alive for ${status.workflow}: start one with nightmill worker`]
      : []),
  ];
  for (const power of status.power ?? []) lines.push(`  server     ${serverText(power)}`);
  for (const model of status.models ?? []) {
    const speed = speedOf(model);
    if (speed !== undefined) lines.push(`  speed      ${speed}`);
  }
  const { hold, tightest } = breaker;
  if (hold !== undefined) {
    for (const pause of breaker.pauses ?? []) {
      const what = pause.of === 'batch' ? 'this batch alone' : `all of ${status.workflow}`;
      lines.push(
        `  paused     ${what}, since ${new Date(pause.since).toISOString()} by ${pause.cause}: ${pause.reason}`,
      );
      lines.push(`  to resume  ${resumeHint(status, pause)}`);
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
  lines.push(...evidenceLines(status));
  for (const [worker, why] of status.unable) lines.push(`  left out   worker ${worker} cannot work on it: ${why}`);
  return `${lines.join('\n')}\n`;
}

function evidenceLines({ evidence = {} }: BatchStatus): readonly string[] {
  const { candidate, audit } = evidence;
  const since = (at: number) => new Date(at).toISOString();
  const lines: string[] = [];
  if (candidate !== undefined) {
    const { mode, documents, better, worse, stoppedAt } = candidate;
    const end = stoppedAt === undefined ? '' : `; stopped ${since(stoppedAt)}, because it is worse`;
    lines.push(
      `  candidate  ${mode}, ${documents.toLocaleString('en')} documents compared: right alone in ${better}, wrong alone in ${worse}${end}`,
    );
  }
  if (audit !== undefined && audit.samples > 0) {
    const { samples, errors, alarmAt } = audit;
    const end = alarmAt === undefined ? '' : `; drift found ${since(alarmAt)}: the last tier answers everything`;
    lines.push(
      `  audit      ${samples.toLocaleString('en')} documents since the calibration, ${errors} not confirmed${end}`,
    );
  }
  return lines;
}

function serverText({ provider, state, since, why, ...time }: BatchPower): string {
  const when = since === 0 ? '' : ` since ${new Date(since).toISOString()}`;
  return `${provider}: ${powerText(time)} for this batch, beside the money above; it is ${state}${when}${why === undefined ? '' : ` (${why})`}`;
}

function speedOf({ model, provider, part = 'cascade', latency }: ModelOfBatch): string | undefined {
  const asked = `${nameAt(model, provider)}${part === 'cascade' ? '' : ` (${part})`}`;
  return latency === undefined ? undefined : latencyText(asked, latencyFigures(latency));
}

/** Id, state, workflow, and what people have named it. */
export function titleLine({ batchId, state, workflow, model, name, tenant, plan, labels = {} }: BatchStatus): string {
  const named = [
    ...(name === undefined ? [] : [`"${name}"`]),
    ...(tenant === undefined ? [] : [`tenant ${tenant}`]),
    ...(plan === undefined || plan === tenant ? [] : [`plan ${plan}`]),
    ...Object.entries(labels).map(([key, value]) => `${key}=${value}`),
  ];
  return [batchId, state, model === undefined ? `(${workflow})` : `(${workflow}: ${model})`, ...named].join('  ');
}

/** What has become of the documents that are done. Those of a slice under way have an answer that is not stored yet. */
function documentCounts(documents: BatchStatus['documents']): readonly string[] {
  const outcomes = ['succeeded', 'failed', 'skipped', 'cancelled', 'expired'] as const;
  const stored = outcomes.reduce((sum, outcome) => sum + documents[outcome], 0);
  return [
    ...outcomes
      .filter((outcome) => documents[outcome] > 0)
      .map((outcome) => `${documents[outcome].toLocaleString('en')} ${outcome}`),
    ...(documents.done > stored ? [`${(documents.done - stored).toLocaleString('en')} answered, not yet stored`] : []),
  ];
}

/** When it will end; where a limit comes first, that one and what it takes. */
function endLines({ state, outlook, etaSeconds }: BatchStatus): readonly string[] {
  if (state !== 'running') return [];
  const raise = outlook?.raise;
  if (outlook === undefined || raise === undefined) {
    return etaSeconds === undefined ? [] : [`  ends in    about ${formatDuration(etaSeconds)}`];
  }
  return [
    `  stops      at the limit ${formatUsd(raise.limit)} of ${raise.scope}, after about ${raise.documentsBefore.toLocaleString('en')} documents more`,
    `  to finish  about ${formatUsd(outlook.more)} more: ${raiseCommand(raise)}`,
  ];
}

function raiseCommand({ scope, to }: { readonly scope: string; readonly to: number }): string {
  return `nightmill budget set ${scope} ${nanoToDecimal(to)}`;
}

function nobodyWorks({ workersAlive }: BatchStatus): boolean {
  return workersAlive === 0;
}

function resumeHint(status: BatchStatus, pause: Pause & { readonly of: 'batch' | 'workflow' }): string {
  const { batchId, workflow } = status;
  if (pause.cause === 'budget') {
    const alone =
      pause.period === undefined
        ? ''
        : ` It also resumes by itself when a new period begins${nobodyWorks(status) ? ' and a worker is alive' : ''}.`;
    const { outlook } = status;
    const raise = outlook?.raise?.scope === pause.scope ? outlook?.raise : undefined;
    const command =
      outlook === undefined || raise === undefined
        ? `nightmill budget set ${pause.scope ?? `batch:${batchId}`} USD`
        : `about ${formatUsd(outlook.more)} more: ${raiseCommand(raise)}`;
    return `${command}${parseScope(pause.scope ?? '')?.kind === 'batch' ? `, or the same run with a higher --budget` : ''}.${alone}`;
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
