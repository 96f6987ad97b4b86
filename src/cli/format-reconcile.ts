import type { Cause, Comparison } from '../bills/compare-bills.ts';
import type { ReconcileReport } from '../bills/reconcile-bill.ts';
import { formatUsd, type NanoUsd, nanoToDecimal } from '../money/money.ts';
import { powerText } from '../providers/power-book.ts';

const usd = (nano: NanoUsd) => JSON.rawJSON(nanoToDecimal(nano));

/** `reconcile --json`. */
export function reconcileJson(report: ReconcileReport): object {
  const { bill, repeated } = report;
  return {
    explained: report.isExplained,
    total: comparisonJson(report.total),
    models: report.models.map(comparisonJson),
    days: report.days.map(comparisonJson),
    bill: {
      lines: bill.lines,
      outside: bill.outside,
      hasCost: bill.totals.hasCost,
      hasTokens: bill.totals.hasTokens,
      repeated: { lines: repeated.lines, costUsd: usd(repeated.cost) },
    },
    batches: report.batches.map((batch) => ({
      id: batch.batchId,
      source: batch.source,
      open: batch.isOpen,
      cut: batch.isCut,
      bookedUsd: usd(batch.booked),
      ledgerUsd: batch.ledger === undefined ? null : usd(batch.ledger),
      agrees: batch.agrees,
    })),
    servers: report.servers.map(({ provider, ms, cost }) => ({
      provider,
      seconds: ms / 1000,
      costUsd: cost === undefined ? null : usd(cost),
    })),
    probes: { calls: report.probes.calls, costUsd: usd(report.probes.cost) },
  };
}

function comparisonJson({ name, ours, theirs, ...rest }: Comparison): object {
  const tokens = ({ inputTokens, cachedInputTokens, outputTokens }: Comparison['ours'] | Comparison['theirs']) => ({
    inputTokens,
    cachedInputTokens,
    outputTokens,
  });
  return {
    name,
    ours: {
      calls: ours.calls,
      ...tokens(ours),
      costUsd: usd(ours.cost),
      uncertainCalls: ours.uncertainCalls,
      uncertainUsd: usd(ours.uncertainCost),
    },
    theirs: { lines: theirs.lines, calls: theirs.calls ?? null, ...tokens(theirs), costUsd: usd(theirs.cost) },
    differenceUsd: usd(theirs.cost - ours.cost),
    explainedUsd: usd(rest.explained),
    roundingUsd: usd(rest.rounding),
    unexplainedUsd: usd(rest.unexplained),
    tokensAgree: rest.tokensAgree,
    explained: rest.isExplained,
    causes: rest.causes.map(({ cost, ...cause }) => ({ ...cause, costUsd: usd(cost) })),
  };
}

/** A table by model and by day, then every difference by its name. */
export function reconcileLines(report: ReconcileReport): string {
  const { bill, batches, repeated, models, days, total, probes, servers } = report;
  const open = batches.filter((batch) => batch.isOpen).length;
  const cut = batches.filter((batch) => batch.isCut).map((batch) => batch.batchId);
  const wrong = batches.filter((batch) => !batch.agrees);
  const lines = [
    `bill      ${count(bill.lines - bill.outside, 'line')}${bill.outside === 0 ? '' : `, ${bill.outside} outside the dates left out`}${report.isPriced ? '; no money in it, so both sides are tokens at the prices of the config' : ''}`,
    `batches   ${count(batches.length, 'batch')}${open === 0 ? '' : `, ${open} of them not ended`}`,
    ...(probes.calls === 0
      ? []
      : [`probes    ${count(probes.calls, 'call')} of nightmill doctor --provider, ${formatUsd(probes.cost)}`]),
    ...servers.map(
      ({ provider, ...time }) =>
        `server    ${provider}: ${powerText(time)}, in the books of its days and months; in no batch, and on no bill of calls`,
    ),
    '',
    ...table([...models.map(row), ...(models.length > 1 ? [row(total)] : [])], 'model'),
    ...(days.length > 1 ? ['', ...table(days.map(row), 'day')] : []),
    '',
    ...models.flatMap((model) => model.causes.map((cause) => `${model.name}: ${causeText(cause, model)}`)),
    ...wrong.map(
      (batch) =>
        `${batch.batchId}: its manifest says ${formatUsd(batch.booked)}, its ledger ${formatUsd(batch.ledger ?? 0)}`,
    ),
    ...(repeated.lines === 0
      ? []
      : [
          `the bill has ${count(repeated.lines, 'line')} for a request that it had before: ${formatUsd(repeated.cost)}`,
        ]),
    ...(cut.length === 0 ? [] : [`began before or ended after the dates, compared as a whole: ${cut.join(', ')}`]),
    report.isExplained
      ? 'explained: ledger, manifests and bill agree'
      : `NOT explained: ${formatUsd(total.unexplained)}${total.tokensAgree ? '' : ', and tokens differ'}`,
  ];
  return `${lines.join('\n')}\n`;
}

type Row = readonly string[];

function row({ name, ours, theirs, unexplained }: Comparison): Row {
  const tokens = (side: Comparison['ours'] | Comparison['theirs']) =>
    `${(side.inputTokens + side.outputTokens).toLocaleString('en')}`;
  return [
    name === '' ? '(no name)' : name,
    formatUsd(ours.cost),
    formatUsd(theirs.cost),
    formatUsd(theirs.cost - ours.cost),
    ours.uncertainCalls === 0 ? '-' : `${formatUsd(ours.uncertainCost)} (${ours.uncertainCalls})`,
    formatUsd(unexplained),
    tokens(ours),
    tokens(theirs),
  ];
}

function table(rows: readonly Row[], first: string): string[] {
  const all = [
    [first, 'ours', 'bill', 'difference', 'uncertain', 'unexplained', 'our tokens', 'their tokens'],
    ...rows,
  ];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((cells) => cells[column]?.length ?? 0))) ?? [];
  return all.map((cells) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  );
}

function causeText(cause: Cause, { ours, theirs }: Comparison): string {
  const amount = formatUsd(Math.abs(cause.cost));
  const tokens = `${theirs.inputTokens - ours.inputTokens} input and ${theirs.outputTokens - ours.outputTokens} output tokens`;
  switch (cause.kind) {
    case 'uncertain':
      return `${amount} are ${count(cause.calls, 'call')} whose outcome is unknown; they are booked at up to ${formatUsd(ours.uncertainCost)}`;
    case 'rounding':
      return `${amount} are rounding of the bill's amounts`;
    case 'price':
      return `${amount} with equal tokens: the price in the config is not the one that is billed`;
    case 'not_ours':
      return `${amount} and ${tokens} more on the bill: calls that these batches did not make, or whose reply is not in their books`;
    case 'not_billed':
      return `the bill differs by ${formatUsd(cause.cost)} and ${tokens}: calls that it leaves out; does it cover all days and all keys of these batches?`;
    case 'unknown_model':
      return `${amount} for a model that these batches did not use`;
  }
}

function count(number: number, noun: string): string {
  const plural = noun === 'batch' ? 'batches' : `${noun}s`;
  return `${number.toLocaleString('en')} ${number === 1 ? noun : plural}`;
}
