import { parseArgs } from 'node:util';
import { type AnswerTable, costOf, isRight, meanOf } from '../../src/calibration/answer-table.ts';
import { calibrateCascade } from '../../src/calibration/calibrate-cascade.ts';
import { calibrateObserved } from '../../src/calibration/calibrate-observed.ts';
import { calibrateTwoTiers } from '../../src/calibration/calibrate-two-tiers.ts';
import type { Metric } from '../../src/calibration/calibration.ts';
import { hindsightShare } from '../../src/calibration/hindsight.ts';
import { seededRandom } from '../../src/calibration/random.ts';
import { dearestModel, tableOf } from '../../src/calibration/record-table.ts';
import { meanCosts, type Records } from '../../src/calibration/records.ts';
import { accepts, documents, observed } from '../helpers/simulated-nights.ts';
import { CASCADES_FOLDER, readCascadeSet } from './helpers/recorded-cascades.ts';
import { printSetting, printTable } from './helpers/table.ts';

export const summary =
  'Certified cascade thresholds on recorded answers: what they save, and how often the promise is broken';

const DELTA = 0.1;

interface Case {
  readonly set: string;
  readonly metric: Metric;
  readonly target: number;
  /** The share of the strongest model's calls or dollars that is to be beaten. */
  readonly toBeat?: number;
}

const CASES: readonly Case[] = [
  { set: 'snow_boolq', metric: 'agreement', target: 0.9, toBeat: 0.369 },
  { set: 'snow_boolq', metric: 'agreement', target: 0.95, toBeat: 0.567 },
  { set: 'snow_imdb', metric: 'agreement', target: 0.9, toBeat: 0.617 },
  { set: 'snow_imdb', metric: 'agreement', target: 0.95, toBeat: 0.684 },
  { set: 'supg_onto', metric: 'agreement', target: 0.99 },
  { set: 'zell_medmcqa', metric: 'best-minus', target: 0.02, toBeat: 0.824 },
  { set: 'zell_medmcqa', metric: 'best-minus', target: 0.05, toBeat: 0.4 },
  { set: 'zell_truthfulqa', metric: 'best-minus', target: 0.02, toBeat: 0.926 },
  { set: 'zell_truthfulqa', metric: 'best-minus', target: 0.05, toBeat: 0.7 },
  { set: 'mot_gsm8k', metric: 'best-minus', target: 0.05 },
  { set: 'zell_gsm8k', metric: 'best-minus', target: 0.02 },
  { set: 'rbmini_v5', metric: 'best-minus', target: 0.02 },
  { set: 'routellm_gsm8k', metric: 'best-minus', target: 0.05 },
];

interface Run {
  /** Of calls to the strongest, labels counted (agreement), or of its dollars on the items not looked at. */
  readonly share: number;
  readonly isBroken: boolean;
  readonly labels: number;
  readonly reason: string | undefined;
}

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { seeds: { type: 'string', default: '200' }, data: { type: 'string', default: CASCADES_FOLDER } },
  });
  const seeds = Number(values.seeds);
  printSetting(`Certified cascades: ${seeds} seeds, delta ${DELTA}.`);
  const heads = ['set', 'promise', 'share', 'to beat', 'hindsight', 'broken', 'labels', 'fell back', 'why'];
  const rows = [heads];
  const missing = new Set<string>();
  for (const each of CASES) {
    const records = readCascadeSet(values.data, each.set);
    if (records === undefined) missing.add(each.set);
    else rows.push(await measure(each, records, seeds));
  }
  if (rows.length === 1) rows.push(['none', 'no records', ...heads.slice(2).map(() => '–')]);
  printTable({
    caption: 'Thresholds on recorded answers',
    rows,
    note: `share: calls to the strong model, labels counted (agreement), or dollars on the items that were not looked at, of the
best single model (best-minus); broken: share of the runs in which the promise is false for all items of the file${missing.size === 0 ? '' : `; their records are not here: ${[...missing].join(', ')}`}`,
  });
  timeSearch();
  measureNights(Math.min(seeds, 100));
}

async function measure({ set, metric, target, toBeat }: Case, records: Records, seeds: number): Promise<string[]> {
  const runs: Run[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    runs.push(
      metric === 'agreement' ? await runTwoTiers(records, target, seed) : runCascade(records, metric, target, seed),
    );
  }
  const mean = (value: (run: Run) => number) => runs.reduce((sum, each) => sum + value(each), 0) / runs.length;
  const fallen = runs.filter(({ reason }) => reason !== undefined);
  return [
    set,
    metric === 'agreement' ? `agreement ${target}` : `best - ${target}`,
    mean(({ share }) => share).toFixed(3),
    toBeat?.toFixed(3) ?? '',
    metric === 'agreement' ? hindsight(records, target).toFixed(3) : '',
    mean(({ isBroken }) => Number(isBroken)).toFixed(3),
    mean(({ labels }) => labels).toFixed(0),
    `${((fallen.length / runs.length) * 100).toFixed(0)} %`,
    fallen.length * 2 < runs.length ? '' : (fallen[0]?.reason ?? ''),
  ];
}

function cheapAnswers(records: Records) {
  const strong = dearestModel(records);
  const cheap = strong === 0 ? 1 : 0;
  const answers = records.answers.map((row) => ({
    label: row[cheap]?.prediction ?? '',
    confidence: row[cheap]?.confidence,
  }));
  const wrong = records.answers.map((row) => row[cheap]?.correct !== true);
  return { strong, cheap, answers, wrong };
}

function hindsight(records: Records, target: number): number {
  const { answers, wrong } = cheapAnswers(records);
  return hindsightShare(answers, wrong, target);
}

async function runTwoTiers(records: Records, target: number, seed: number): Promise<Run> {
  const { strong, cheap, answers, wrong } = cheapAnswers(records);
  const costs = meanCosts(records);
  const { calibration, accepted } = await calibrateTwoTiers(answers, {
    target,
    delta: DELTA,
    seed,
    cheap: { model: records.models[cheap] ?? '', cost: costs[cheap] ?? 1 },
    strong: { model: records.models[strong] ?? '', cost: costs[strong] ?? 1 },
    ask: (items) => Promise.resolve(items.map((item) => wrong[item] === true)),
  });
  const errors = accepted.filter((item) => wrong[item]).length;
  return {
    share: calibration.oracleShare,
    isBroken: errors > (1 - target) * answers.length + 1e-9,
    labels: calibration.labelsUsed,
    reason: calibration.fallback?.reason,
  };
}

function runCascade(records: Records, metric: Metric, target: number, seed: number): Run {
  const table = tableOf(records, metric);
  const { calibration, cascade, labelled } = calibrateCascade(table, { metric, target, delta: DELTA, seed });
  const looked = new Set(labelled);
  const all = [...Array(table.items).keys()];
  const rest = all.filter((item) => !looked.has(item));
  const quality = table.models.map((_, model) => meanOf(table.right[model], all));
  const best = quality.indexOf(Math.max(...quality));
  const right = all.filter((item) => isRight(table, cascade, item)).length / all.length;
  const dollars = rest.reduce((sum, item) => sum + costOf(table, cascade, item), 0) / rest.length;
  return {
    share: dollars / meanOf(table.cost[best], rest),
    isBroken: right < (quality[best] ?? 0) - target - 1e-9,
    labels: calibration.labelsUsed,
    reason: calibration.fallback?.reason,
  };
}

const AUDIT = 0.03;

/** Three simulated nights of a workflow with an audit, beside a golden set with as many labels as the audit has bought. */
function measureNights(runs: number): void {
  const random = seededRandom(31);
  const later = documents(20_000, random);
  const tiers = { cheap: { model: 'small', cost: 1 }, strong: { model: 'large', cost: 10 } };
  const rows = [['from', 'labels', 'share', 'broken']];
  const sums = { rows: { share: 0, broken: 0 }, golden: { share: 0, broken: 0 } };
  for (let seed = 0; seed < runs; seed++) {
    const wish = { target: 0.9, delta: DELTA, seed, ...tiers };
    const nights = observed(documents(3_000, random), AUDIT, random);
    const golden = documents(3_000 * AUDIT, random).map((each) => ({ ...each, seen: 'labelled' as const }));
    const found = {
      rows: calibrateObserved(nights, { ...wish, auditShare: AUDIT }),
      golden: calibrateObserved(golden, { ...wish, auditShare: 0 }),
    };
    for (const from of ['rows', 'golden'] as const) {
      sums[from].share += found[from].oracleShare / runs;
      const wrong = later.filter((each) => accepts(found[from], each) && each.isError).length;
      sums[from].broken += Number(wrong > 0.1 * later.length) / runs;
    }
  }
  rows.push([
    'three nights, audit 3 %',
    `${3_000 * AUDIT} audited`,
    sums.rows.share.toFixed(3),
    sums.rows.broken.toFixed(3),
  ]);
  rows.push(['golden set', `${3_000 * AUDIT}`, sums.golden.share.toFixed(3), sums.golden.broken.toFixed(3)]);
  printTable({ caption: `From production rows, agreement 0.9, ${runs} runs`, rows });
}

/** 10,000 items and three tiers. */
function timeSearch(): void {
  const random = seededRandom(1);
  const items = 10_000;
  const skills = [0.7, 0.8, 0.9];
  const hardness = Float64Array.from({ length: items }, random);
  const table: AnswerTable = {
    models: ['small', 'middle', 'large'],
    items,
    right: skills.map((skill) => Uint8Array.from(hardness, (hard) => Number(hard < skill))),
    confidence: skills.map((skill) =>
      Float64Array.from(hardness, (hard) => 1 / (1 + Math.exp(4 * (hard - skill) + random()))),
    ),
    cost: [1, 5, 25].map((cost) => new Float64Array(items).fill(cost)),
  };
  const before = performance.now();
  const { calibration } = calibrateCascade(table, { metric: 'best-minus', target: 0.02, delta: DELTA, seed: 1 });
  const milliseconds = performance.now() - before;
  printTable({
    caption: 'The search alone',
    rows: [
      ['items', 'tiers', 'ms', 'cost over the strongest'],
      ['10,000', '3', milliseconds.toFixed(0), calibration.costShareOfStrongest.toFixed(3)],
    ],
  });
}
