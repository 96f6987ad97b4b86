import { formatUsd } from '../money/money.ts';
import type { RunWorth } from '../operations/evidence/worth.ts';
import { selfHostingSteps } from '../plans/self-hosting.ts';
import { table } from './table.ts';

/** What a change is worth, as `compare --volume` prints it. */
export function worthLines({ now, costs, changes, own }: RunWorth): readonly string[] {
  const { volume, evaluation, work } = costs;
  const once = `${formatUsd(evaluation)} evaluation + ${formatUsd(work)} work = ${formatUsd(evaluation + work)}`;
  const [first] = changes;
  return [
    `from ${now}, at ${volume.toLocaleString('en')} documents per month of thirty nights; paid once: ${once}`,
    ...table([
      [
        'to',
        'USD a month',
        'saved a month',
        'paid after',
        ...(first?.worth.after ?? []).map(({ months }) => `left after ${months} months`),
      ],
      [now, formatUsd(first?.worth.monthlyNow ?? 0)],
      ...changes.map(({ run, worth }) => [
        run,
        formatUsd(worth.monthlyThen),
        formatUsd(worth.savedPerMonth),
        worth.monthsUntilPaid === undefined ? 'never' : `${worth.monthsUntilPaid.toFixed(1)} months`,
        ...worth.after.map(({ left }) => formatUsd(left)),
      ]),
    ]),
    ...(own === undefined ? [] : [`${now} on own GPUs`, ...selfHostingSteps(own.load, own.offer, 'documents')]),
  ];
}
