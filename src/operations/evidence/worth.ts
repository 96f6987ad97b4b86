import type { App } from '../../app.ts';
import { NightmillError } from '../../errors.ts';
import type { Evaluation } from '../../evaluation/evaluation.ts';
import { type NanoUsd, usdJson, usdToNano } from '../../money/money.ts';
import { type GpuOffer, type MonthlyLoad, selfHosting, selfHostingJson } from '../../plans/self-hosting.ts';
import {
  type MeasuredCost,
  type SwitchCosts,
  type SwitchWorth,
  scaleCost,
  switchWorth,
} from '../../plans/switch-worth.ts';
import { readManifestBytes } from '../../results/result-files.ts';
import { storedEvaluation } from './evaluations.ts';

export interface WorthQuestion {
  /** Documents per month. */
  readonly volume: number;
  /** What the change takes in work. */
  readonly work: NanoUsd;
  readonly offer: GpuOffer | undefined;
}

export interface RunWorth {
  readonly now: string;
  readonly costs: SwitchCosts;
  readonly changes: readonly { readonly run: string; readonly worth: SwitchWorth }[];
  /** The present run's documents on own GPUs; absent: not asked. */
  readonly own?: { readonly load: MonthlyLoad; readonly offer: GpuOffer };
}

/**
 * What a change from the first run to each of the others is worth, from what their evaluations have cost.
 *
 * @throws {NightmillError} `usage`: no such run, or more than an amount can be
 */
export async function worthOfRuns(
  app: Pick<App, 'store'>,
  runs: readonly string[],
  question: WorthQuestion,
): Promise<RunWorth> {
  const evaluations = await Promise.all(runs.map((run) => storedEvaluation(app, run)));
  const measured = evaluations.map(measuredCost);
  const [now, ...others] = measured;
  if (now === undefined) throw new RangeError('There is no run');
  const { volume, work, offer } = question;
  const costs = { volume, work, evaluation: measured.reduce((sum, { cost }) => sum + cost, 0) };
  try {
    return {
      now: runs[0] ?? '',
      costs,
      changes: others.map((then, index) => ({ run: runs[index + 1] ?? '', worth: switchWorth(now, then, costs) })),
      ...(offer === undefined ? {} : { own: { offer, load: await loadOf(app, runs[0] ?? '', now, volume) } }),
    };
  } catch (error) {
    if (error instanceof RangeError) throw new NightmillError('usage', `${error.message}.`);
    throw error;
  }
}

function measuredCost({ documents, items }: Evaluation): MeasuredCost {
  return { documents, cost: items.reduce((sum, { costUsd }) => sum + usdToNano(costUsd), 0) };
}

async function loadOf(app: Pick<App, 'store'>, run: string, now: MeasuredCost, volume: number): Promise<MonthlyLoad> {
  const { usage } = JSON.parse(Buffer.from(await readManifestBytes(app.store, run)).toString()) as {
    readonly usage: { readonly inputTokens: number; readonly outputTokens: number };
  };
  const tokensPerRequest = Math.round((usage.inputTokens + usage.outputTokens) / now.documents);
  if (tokensPerRequest > 0) return { requests: volume, tokensPerRequest, apiCost: scaleCost(now, volume) };
  throw new NightmillError(
    'usage',
    `Cannot put ${run} beside own GPUs: it has asked no provider, so no tokens are known.`,
  );
}

export function worthJson({ now, costs, changes, own }: RunWorth): object {
  return {
    now,
    documentsPerMonth: costs.volume,
    evaluationUsd: usdJson(costs.evaluation),
    workUsd: usdJson(costs.work),
    changes: changes.map(({ run, worth }) => ({
      run,
      monthlyNowUsd: usdJson(worth.monthlyNow),
      monthlyThenUsd: usdJson(worth.monthlyThen),
      savedPerMonthUsd: usdJson(worth.savedPerMonth),
      onceUsd: usdJson(worth.once),
      monthsUntilPaid: worth.monthsUntilPaid === undefined ? null : Number(worth.monthsUntilPaid.toFixed(2)),
      after: worth.after.map(({ months, left }) => ({ months, leftUsd: usdJson(left) })),
    })),
    ...(own === undefined ? {} : { selfHosting: selfHostingJson(selfHosting(own.load, own.offer)) }),
  };
}
