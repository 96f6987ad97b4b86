import type { BatchStatus } from '../batches/batch-status.ts';
import { formatUsd, nanoToDecimal } from '../money/money.ts';

/** `status --json`. */
export function statusJson(status: BatchStatus): object {
  const usd = (nano: number) => JSON.rawJSON(nanoToDecimal(nano));
  const { hold, tightest } = status.breaker;
  return {
    id: status.batchId,
    workflow: status.workflow,
    state: status.state,
    documents: status.documents,
    slices: status.slices,
    spentUsd: usd(status.spent),
    uncertainUsd: usd(status.uncertain),
    heldUsd: usd(status.held),
    limitUsd: status.limit === undefined ? null : usd(status.limit),
    projectedUsd: status.projected === undefined ? null : usd(status.projected),
    etaSeconds: status.etaSeconds ?? null,
    ...(status.unable.size === 0 ? {} : { unableWorkers: Object.fromEntries(status.unable) }),
    createdAt: new Date(status.createdAt).toISOString(),
    finishedAt: status.finishedAt === undefined ? null : new Date(status.finishedAt).toISOString(),
    breaker: {
      state: status.breaker.state,
      ...(hold === undefined
        ? {}
        : {
            cause: hold.cause,
            reason: hold.reason,
            since: new Date(hold.since).toISOString(),
            ...(hold.scope === undefined ? {} : { scope: hold.scope }),
          }),
      ...(tightest === undefined
        ? {}
        : { tightest: { scope: tightest.scope, spentUsd: usd(tightest.spent), limitUsd: usd(tightest.limit) } }),
    },
  };
}

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
  ];
  const { hold, tightest } = breaker;
  if (hold !== undefined) {
    lines.push(`  paused     since ${new Date(hold.since).toISOString()} by ${hold.cause}: ${hold.reason}`);
    lines.push(`  to go on   ${howToGoOn(status)}`);
  } else if (breaker.state === 'warning' && tightest !== undefined) {
    lines.push(
      `  warning    ${formatUsd(tightest.spent)} of ${formatUsd(tightest.limit)} of ${tightest.scope} are spent`,
    );
  }
  for (const [worker, why] of status.unable) lines.push(`  left out   worker ${worker} cannot work on it: ${why}`);
  return `${lines.join('\n')}\n`;
}

function howToGoOn({ breaker, batchId, workflow }: BatchStatus): string {
  const { hold } = breaker;
  if (hold?.cause === 'budget') {
    const alone = hold.period === undefined ? '' : ' It also goes on by itself when a new period begins.';
    return `nightmill budget set ${hold.scope ?? `batch:${batchId}`} USD${hold.scope?.startsWith('batch:') === true ? `, or the same run with a higher --budget` : ''}.${alone}`;
  }
  if (hold?.cause === 'provider' && hold.retry === true) return 'nothing: the provider is tried again by itself.';
  return `nightmill resume ${breaker.holds === 'batch' ? batchId : workflow}`;
}

export function formatDuration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
