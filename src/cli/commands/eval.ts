import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { App } from '../../app.ts';
import { ERROR_CODES, NightmillError } from '../../errors.ts';
import { compareRuns, type RunComparison } from '../../evaluation/compare-runs.ts';
import type { Evaluation } from '../../evaluation/evaluation.ts';
import { htmlReport } from '../../evaluation/html-report.ts';
import type { JudgeReport } from '../../evaluation/judge.ts';
import { promptfooOutput } from '../../evaluation/promptfoo.ts';
import { evaluateBatch, parseGolden, storedEvaluation } from '../../operations/evidence/evaluations.ts';
import { rememberEvaluation } from '../../operations/evidence/gate.ts';
import { judgedPairs, readJudgement, submitJudgement } from '../../operations/evidence/judge-runs.ts';
import { makeFolder } from '../../runtime/make-folder.ts';
import { listenForStop } from '../../worker/stop-signals.ts';
import { MODEL_WORKFLOW } from '../../workflows/model-workflow.ts';
import { answerGolden, readText } from '../answer-golden.ts';
import { announcer, type GlobalOptions, print, withApp } from '../with-app.ts';
import { workUntilEnd } from '../work-and-download.ts';

interface EvalFlags {
  readonly workflow: string;
  readonly golden: string;
  readonly id?: string;
  readonly budget?: string;
  readonly baseline?: string;
  readonly margin: string;
  readonly judge?: string;
  readonly output?: string;
}

export function addEvalCommand(program: Command): void {
  const command = program
    .command('eval')
    .description('answers a golden set with a workflow and scores the answers; the same set again is not paid twice')
    .requiredOption('-w, --workflow <name>', 'workflow from the config')
    .requiredOption(
      '--golden <file>',
      'JSON lines with id, text and what is wanted: label, summary, mustHave, mustNotHave, fields',
    )
    .option('--id <name>', 'name of the run; default: made from the workflow and the set')
    .option('--budget <usd>', 'most that the run may cost')
    .option('--baseline <run>', 'exit 1 where a metric has fallen against this run')
    .option('--margin <share>', 'a fall up to this is no regression', '0')
    .option(
      '--judge <model>',
      'with --baseline: this model of the config says which summaries are better, in both orders',
    )
    .option('-o, --output <folder>', 'writes evaluation.json, report.html and promptfoo.json there')
    .action(async (flags: EvalFlags) => {
      process.exitCode = await withApp(command, (app, options) => runEvaluation(app, options, flags), {
        missingSecrets: 'refuse',
      });
    });
}

async function runEvaluation(app: App, options: GlobalOptions, flags: EvalFlags): Promise<number> {
  if (flags.judge !== undefined && flags.baseline === undefined) {
    throw new NightmillError('usage', 'Cannot judge one run alone: name the run to compare with, --baseline RUN.');
  }
  const margin = readMargin(flags.margin);
  const text = readText(flags.golden);
  const golden = parseGolden(text, flags.golden);
  const baseline = flags.baseline === undefined ? undefined : await storedEvaluation(app, flags.baseline);
  const batchId = await answerGolden(app, options, flags);
  if (typeof batchId === 'number') return batchId;
  const evaluation = await evaluateBatch(app, batchId, golden);
  await rememberEvaluation(app, evaluation, text);
  const comparison = baseline === undefined ? undefined : compareRuns(baseline, evaluation, { margin, seed: 1 });
  if (flags.output !== undefined) writeReports(flags.output, evaluation, comparison);
  const judged = baseline === undefined ? undefined : await judge(app, options, flags, [text, baseline, evaluation]);
  if (typeof judged === 'number') return judged;
  const { items: _, ...summary } = evaluation;
  const shown = { ...(comparison === undefined ? {} : { comparison }), ...(judged === undefined ? {} : { judged }) };
  print(options, { ...summary, ...shown }, () => evaluationText(evaluation, comparison) + judgeText(judged));
  return comparison?.isRegression === true || isJudgedWorse(judged) ? 1 : 0;
}

/** Undefined: nobody was asked for it. A number: the exit code of a judgement that was cut off. */
async function judge(
  app: App,
  options: GlobalOptions,
  { judge: model }: EvalFlags,
  [golden, before, after]: readonly [string, Evaluation, Evaluation],
): Promise<JudgeReport | number | undefined> {
  if (model === undefined) return undefined;
  using stop = listenForStop(announcer(options));
  const pairs = judgedPairs(golden, before, after);
  const batch = await submitJudgement(app, pairs, model, stop.first);
  if (batch !== undefined) {
    const { batchId } = batch;
    const { end } = await workUntilEnd(app, options, { workflow: MODEL_WORKFLOW, batchId, stop });
    if (end !== 'ended') return end === 'interrupted' ? ERROR_CODES.interrupted.exit : 1;
  }
  return await readJudgement(app, pairs, model, batch?.batchId);
}

function isJudgedWorse(judged: JudgeReport | undefined): boolean {
  return judged !== undefined && judged.pValue <= JUDGE_ALPHA;
}

const JUDGE_ALPHA = 0.05;

function judgeText(judged: JudgeReport | undefined): string {
  if (judged === undefined) return '';
  const { judge: model, documents, better, worse, equal, swapRate, unread, pValue, costUsd } = judged;
  const verdict = isJudgedWorse(judged) ? `WORSE (p ${pValue.toFixed(4)})` : 'not worse';
  return [
    `judged by ${model}: ${verdict}; of ${documents} pairs ${better} better, ${worse} worse, ${equal} equal${unread === 0 ? '' : `, ${unread} without two replies`}`,
    `  ${(swapRate * 100).toFixed(1)} % of its verdicts turned with the order and count as equal; it cost USD ${costUsd.toFixed(6)}`,
    '',
  ].join('\n');
}

function readMargin(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value >= 0 && value < 1) return value;
  throw new NightmillError(
    'usage',
    `Cannot use --margin ${JSON.stringify(text)}: write a share from 0 to 1, e.g. 0.02.`,
  );
}

function writeReports(folder: string, evaluation: Evaluation, comparison: RunComparison | undefined): void {
  makeFolder(folder);
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  writeFileSync(
    join(folder, 'evaluation.json'),
    json({ ...evaluation, ...(comparison === undefined ? {} : { comparison }) }),
  );
  writeFileSync(join(folder, 'report.html'), htmlReport(evaluation, comparison));
  writeFileSync(join(folder, 'promptfoo.json'), json(promptfooOutput(evaluation)));
}

function evaluationText(evaluation: Evaluation, comparison: RunComparison | undefined): string {
  const { run, documents, metrics, calibration, costUsd, latencyMs } = evaluation;
  const line = (name: string, value: string) => `${name.padEnd(16)} ${value}`;
  return [
    line('run', `${run} (--baseline ${run} compares with it)`),
    line('documents', `${documents}`),
    ...Object.entries(metrics).map(([name, value]) => line(name, value.toFixed(4))),
    ...(calibration === undefined
      ? []
      : [
          line('Brier score', calibration.brier.toFixed(4)),
          line(
            'calibration',
            `off by ${calibration.error.toFixed(4)} in ${calibration.bins.length} bins of equal size`,
          ),
        ]),
    line('dollars', `${costUsd.toFixed(6)}, ${(costUsd / Math.max(1, documents)).toFixed(9)} a document`),
    ...(latencyMs === null ? [] : [line('latency', `${latencyMs.median} ms median, ${latencyMs.p95} ms at 95 %`)]),
    ...(comparison === undefined ? [] : comparisonLines(comparison)),
    '',
  ].join('\n');
}

function comparisonLines({ baseline, metrics, isRegression, power, lost }: RunComparison): string[] {
  return [
    `${isRegression ? 'REGRESSION' : 'no regression'} against ${baseline}`,
    ...metrics.map(({ metric, why }) => `  ${metric}: ${why}`),
    ...(power === null
      ? []
      : [
          `  a fall of ${(power.margin * 100).toFixed(1)} points takes about ${power.documentsNeeded} documents to see`,
        ]),
    ...(lost.length === 0 ? [] : [`  worse now: ${lost.slice(0, 10).join(', ')}${lost.length > 10 ? ' …' : ''}`]),
  ];
}
