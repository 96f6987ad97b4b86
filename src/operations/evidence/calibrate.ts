import { calibrateCascade } from '../../calibration/calibrate-cascade.ts';
import { calibrateObserved } from '../../calibration/calibrate-observed.ts';
import { calibrateTwoTiers } from '../../calibration/calibrate-two-tiers.ts';
import type { Calibration, Metric } from '../../calibration/calibration.ts';
import { hindsightShare } from '../../calibration/hindsight.ts';
import { observedRows } from '../../calibration/observed-rows.ts';
import { dearestModel, tableOf } from '../../calibration/record-table.ts';
import { meanCosts, type Records, readRecords } from '../../calibration/records.ts';
import { NightmillError } from '../../errors.ts';
import type { WorkflowSpec } from '../../workflows/workflow.ts';

export interface CalibrationWish {
  readonly target: number;
  readonly delta: number;
  readonly metric: Metric;
  readonly seed: number;
  readonly labels?: number | undefined;
}

/**
 * Calibrates on recorded answers; two models that are to agree get a threshold for each label.
 *
 * @param name of the file, for messages
 * @returns `hindsightShare`: the least share of the strong model that would have done, where that is known
 * @throws {NightmillError} `input_invalid` with the line that cannot be used
 */
export async function calibrateRecords(
  text: string,
  name: string,
  wish: CalibrationWish,
): Promise<Calibration & { readonly hindsightShare?: number }> {
  const reading = readRecords(text);
  if (reading.kind === 'bad') {
    throw new NightmillError(
      'input_invalid',
      `Cannot calibrate with ${name}: line ${reading.line} ${reading.problem}.`,
    );
  }
  const { records } = reading;
  if (records.models.length === 2 && wish.metric === 'agreement') return await calibratePair(records, wish);
  const { labels, ...rest } = wish;
  const table = tableOf(records, wish.metric);
  return calibrateCascade(table, { ...rest, ...(labels === undefined ? {} : { labels }) }).calibration;
}

async function calibratePair(records: Records, { labels, ...wish }: CalibrationWish) {
  const strong = dearestModel(records);
  const cheap = 1 - strong;
  const costs = meanCosts(records);
  const tier = (model: number) => ({ model: records.models[model] ?? '', cost: costs[model] ?? 0 });
  const answers = records.answers.map((row) => ({
    label: row[cheap]?.prediction ?? '',
    confidence: row[cheap]?.confidence,
  }));
  const wrong = records.answers.map((row) => row[cheap]?.prediction !== row[strong]?.prediction);
  const { calibration } = await calibrateTwoTiers(answers, {
    ...wish,
    ...(labels === undefined ? {} : { labels }),
    cheap: tier(cheap),
    strong: tier(strong),
    ask: (items) => Promise.resolve(items.map((item) => wrong[item] === true)),
  });
  return { ...calibration, hindsightShare: hindsightShare(answers, wrong, wish.target) };
}

/**
 * Calibrates a workflow on what its rows say of its first tier.
 *
 * @throws {NightmillError} `usage` where the rows say nothing of it
 */
export function calibrateRows(
  spec: WorkflowSpec,
  lines: Iterable<string>,
  truth: ReadonlyMap<string, string>,
  { target, delta, seed }: CalibrationWish,
): Calibration & { readonly ignoredRows: number } {
  const last = spec.cascade.at(-1)?.model.name ?? '';
  const rows = observedRows(lines, last, truth);
  if (rows.answers.length === 0) {
    throw new NightmillError(
      'usage',
      `Cannot calibrate ${spec.name}: none of ${rows.ignored} rows says what a tier before ${last} has answered. ` +
        'Rows say so with two paid tiers or more, or with rows: { attempts: true } in the workflow.',
    );
  }
  const calibration = calibrateObserved(rows.answers, {
    target,
    delta,
    seed,
    auditShare: spec.audit ?? 0,
    cheap: rows.first,
    strong: rows.last,
  });
  return { ...calibration, ignoredRows: rows.ignored };
}
