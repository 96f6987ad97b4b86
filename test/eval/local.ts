import { readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { openLocalModel } from '../../src/adapters/local-model/open-local-model.ts';
import { rouge } from '../../src/evaluation/rouge.ts';
import { extractSentences } from '../../src/local-model/extract-sentences.ts';
import { countKeyFacts } from '../../src/local-model/key-facts.ts';
import type { LocalAnswer, LocalModel } from '../../src/local-model/local-model.ts';
import { splitSentences } from '../../src/local-model/split-sentences.ts';
import {
  drawExamples,
  evaluationDataPresent,
  readClassificationSet,
  readOutOfScope,
  readSummarySet,
  type SummaryItem,
  spread,
} from '../helpers/evaluation-data.ts';

/**
 * Measures the local model on the evaluation sets that lie beside the project, next to the figures of an earlier
 * study on other items of the same kind.
 */
const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    set: { type: 'string', multiple: true },
    draws: { type: 'string', default: '3' },
    kind: { type: 'string', default: 'sentence-encoder' },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) {
  console.log(`npm run eval:local -- [--quick] [--set NAME]... [--draws N] [--kind sentence-encoder|naive-bayes]
  --quick   150 items of each set and one draw of examples
  --set     only this set, or notes: extracts of mails, minutes and READMEs; may be given again
  --draws   random draws of examples, default 3 (banking77: at most 2)`);
  process.exit(0);
}
if (!evaluationDataPresent) {
  console.error('Cannot evaluate: no folder ../shared/data beside the project. Put the evaluation sets there.');
  process.exit(2);
}

const MAX_ITEMS = options.quick ? 150 : Number.POSITIVE_INFINITY;
const DRAWS = options.quick ? 1 : Number(options.draws);
const kind: LocalModel['kind'] = options.kind === 'naive-bayes' ? 'naive-bayes' : 'sentence-encoder';

/** Per cent right with 0, 8 and 32 examples a label in the earlier study. */
const EXPECTED_RIGHT: Readonly<Record<LocalModel['kind'], Readonly<Record<string, readonly (number | undefined)[]>>>> =
  {
    'sentence-encoder': {
      agnews: [83.8, 84.4, 87.0],
      bbc: [86.3, 93.6, 96.7],
      banking77: [39.8, 75.5, 85.0],
      clinc10: [63.8, 72.9, 82.6],
      sms: [79.7, 91.9, 97.3],
      movies: [65.3, 68.8, 71.2],
    },
    'naive-bayes': {
      agnews: [undefined, 52.5, 71.5],
      bbc: [undefined, 81.3, 94.6],
      banking77: [undefined, 57.1, 75.5],
      clinc10: [undefined, 43.6, 66.2],
      sms: [undefined, 76.0, 88.3],
      movies: [undefined, 56.8, 58.0],
    },
  };

interface Extraction {
  readonly set: string;
  readonly maxWords: number;
  readonly maxSentences?: number;
  readonly expected: string;
  readonly references: (item: SummaryItem) => readonly string[];
}
const EXTRACTIONS: readonly Extraction[] = [
  { set: 'cnndm', maxWords: 50, expected: '32.7 / 12.0 / 22.4 / 28.3', references: (item) => [item.summary] },
  {
    set: 'scitldr',
    // As the earlier study: one sentence, however long.
    maxWords: 1_000,
    maxSentences: 1,
    expected: '39.5 / 17.3 / 30.5 / 30.6',
    references: (item) => item.summaries ?? [],
  },
  { set: 'qmsum', maxWords: 105, expected: '23.7 / 2.5 / 13.1 / 20.2', references: (item) => [item.summary] },
];

const chosen = (name: string) => options.set === undefined || options.set.includes(name);
const percent = (share: number) => (100 * share).toFixed(1);

const model = openLocalModel({ kind });
try {
  await evaluateClassification();
  await evaluateCatchAll();
  await evaluateExtracts();
  showNotes();
} finally {
  await model.close();
}

async function evaluateClassification(): Promise<void> {
  console.log('set        examples items  right  earlier  ≥0.95  right there  calibration error  familiar  docs/CPU-s');
  for (const name of ['agnews', 'bbc', 'banking77', 'clinc10', 'sms', 'movies'].filter(chosen)) {
    const set = readClassificationSet(name);
    const items = spread(set.test, MAX_ITEMS);
    for (const [column, perLabel] of [0, 8, 32].entries()) {
      if (perLabel === 0 && kind === 'naive-bayes') continue;
      const draws = perLabel === 0 ? 1 : Math.min(DRAWS, name === 'banking77' ? 2 : DRAWS);
      const answered: { readonly answer: LocalAnswer; readonly right: boolean }[] = [];
      // A vector is computed once, so only the first pass over the items shows the speed.
      let docsPerCpuSecond = '';
      for (let draw = 0; draw < draws; draw++) {
        const examples = perLabel === 0 ? [] : drawExamples(set, perLabel, draw);
        const cpu = process.cpuUsage();
        const answers = await model.classify(
          { labels: set.labels, examples },
          items.map((item) => item.text),
        );
        const { user, system } = process.cpuUsage(cpu);
        if (perLabel === 0) docsPerCpuSecond = (items.length / ((user + system) / 1e6)).toFixed(0);
        for (const [i, answer] of answers.entries()) {
          answered.push({ answer, right: answer.label === items[i]?.label });
        }
      }
      const right = share(answered, ({ right }) => right);
      const sure = answered.filter(({ answer }) => answer.confidence >= 0.95);
      console.log(
        [
          name.padEnd(10),
          String(perLabel).padStart(8),
          String(items.length).padStart(5),
          percent(right).padStart(6),
          String(EXPECTED_RIGHT[kind][name]?.[column] ?? '').padStart(8),
          percent(sure.length / answered.length).padStart(6),
          (sure.length === 0 ? '-' : percent(share(sure, ({ right }) => right))).padStart(12),
          percent(calibrationError(answered)).padStart(18),
          percent(share(answered, ({ answer }) => answer.familiar)).padStart(9),
          docsPerCpuSecond.padStart(11),
        ].join(' '),
      );
    }
  }
}

/** How often a catch-all beside the ten labels of clinc10 is chosen for what none of them fits, and left alone by the rest. */
async function evaluateCatchAll(): Promise<void> {
  if (!chosen('clinc10') || kind !== 'sentence-encoder') return;
  console.log('\ncatch-all   examples  none fits: right  one fits: right  and its label  calibration error');
  const set = readClassificationSet('clinc10');
  const labels = [...set.labels, { label: 'other', description: 'None of these' }];
  const inScope = spread(set.test, 200);
  const outOfScope = spread(readOutOfScope('clinc10'), 200);
  for (const perLabel of [0, 8, 32, 50]) {
    const draws = perLabel === 0 || perLabel === 50 ? 1 : DRAWS;
    const answered: { readonly answer: LocalAnswer; readonly label: string }[] = [];
    for (let draw = 0; draw < draws; draw++) {
      const texts = [...outOfScope, ...inScope].map((item) => item.text);
      const answers = await model.classify({ labels, examples: drawExamples(set, perLabel, draw) }, texts);
      for (const [i, answer] of answers.entries()) {
        answered.push({ answer, label: inScope[i - outOfScope.length]?.label ?? 'other' });
      }
    }
    const none = answered.filter(({ label }) => label === 'other');
    const one = answered.filter(({ label }) => label !== 'other');
    const scored = answered.map(({ answer, label }) => ({ answer, right: answer.label === label }));
    console.log(
      [
        'clinc10'.padEnd(11),
        String(perLabel).padStart(8),
        percent(share(none, ({ answer }) => answer.label === 'other')).padStart(17),
        percent(share(one, ({ answer }) => answer.label !== 'other')).padStart(16),
        percent(share(one, ({ answer, label }) => answer.label === label)).padStart(14),
        percent(calibrationError(scored)).padStart(18),
      ].join(' '),
    );
  }
}

async function evaluateExtracts(): Promise<void> {
  if (!EXTRACTIONS.some(({ set }) => chosen(set))) return;
  console.log('\nset      words  ROUGE-1 / 2 / L / Lsum       earlier                        docs/CPU-s');
  for (const { set, expected, references, ...limits } of EXTRACTIONS.filter((extraction) => chosen(extraction.set))) {
    const items = spread(readSummarySet(set), MAX_ITEMS);
    const cpu = process.cpuUsage();
    const extracts: string[] = [];
    for (const item of items) extracts.push(extractSentences(item.text, limits).text);
    const { user, system } = process.cpuUsage(cpu);
    const scores = items.map((item, i) =>
      references(item)
        .map((reference) => rouge(extracts[i] ?? '', reference, splitSentences))
        .reduce((best, other) => (other.rouge1 > best.rouge1 ? other : best)),
    );
    const means = (['rouge1', 'rouge2', 'rougeL', 'rougeLsum'] as const).map((measure) =>
      percent(scores.reduce((sum, score) => sum + score[measure], 0) / scores.length),
    );
    console.log(
      `${set.padEnd(8)} ${String(limits.maxWords).padStart(5)}  ${means.join(' / ').padEnd(28)} ${expected.padEnd(30)} ${(
        items.length / ((user + system) / 1e6)
      ).toFixed(0)}`,
    );
  }
}

/** Extracts of mails, minutes and READMEs, to be read: docs/extracts.md has them beside those of before. */
function showNotes(): void {
  if (!chosen('notes')) return;
  const folder = new URL('../fixtures/notes/', import.meta.url);
  const withFacts = (text: string) => splitSentences(text).filter((sentence) => countKeyFacts(sentence) > 0).length;
  let kept = 0;
  let all = 0;
  console.log('\nnotes: extracts of 45 words');
  for (const name of readdirSync(folder).sort()) {
    const text = readFileSync(new URL(name, folder), 'utf8');
    const extract = extractSentences(text, { maxWords: 45 }).text;
    console.log(`${name.padEnd(14)} ${extract}`);
    kept += withFacts(extract);
    all += withFacts(text);
  }
  console.log(`${kept} of ${all} sentences with a question, a date, an amount or a decision are kept`);
}

function share<T>(items: readonly T[], holds: (item: T) => boolean): number {
  return items.filter(holds).length / items.length;
}

/** Mean distance of confidence and share right over ten bins of equal width, weighted by their items. */
function calibrationError(answered: readonly { readonly answer: LocalAnswer; readonly right: boolean }[]): number {
  let error = 0;
  for (let bin = 0; bin < 10; bin++) {
    const own = answered.filter(({ answer }) => Math.min(9, Math.floor(10 * answer.confidence)) === bin);
    if (own.length === 0) continue;
    const confidence = own.reduce((sum, { answer }) => sum + answer.confidence, 0) / own.length;
    error += (own.length / answered.length) * Math.abs(confidence - share(own, ({ right }) => right));
  }
  return error;
}
