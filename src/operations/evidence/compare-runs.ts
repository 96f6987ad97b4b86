import type { App } from '../../app.ts';
import { NightmillError } from '../../errors.ts';
import { type Ranking, rankRuns } from '../../evaluation/rank-runs.ts';
import { cascadeText } from '../../workflows/cascade-text.ts';
import type { Judged } from '../../workflows/requirements.ts';
import type { WorkflowSpec } from '../../workflows/workflow.ts';
import { storedEvaluation } from './evaluations.ts';
import { judgeRuns, submittedSpec } from './meets.ts';
import { type RunWorth, type WorthQuestion, worthJson, worthOfRuns } from './worth.ts';

export interface RunComparison {
  /** Of the first run. */
  readonly workflow: string;
  readonly ranking: Ranking;
  /** What has answered, by run, as candidates are written; null: the batch of the run is gone. */
  readonly cascades: ReadonlyMap<string, string | null>;
  /** Undefined: the workflow of the first run has no requirements. */
  readonly judged: readonly Judged[] | undefined;
  /** Undefined: it was not asked. */
  readonly worth: RunWorth | undefined;
}

/**
 * Runs of `eval` over one golden set side by side, without a call.
 *
 * @param names each counts once
 * @param question what a change from the first run is worth. Default: not asked
 * @throws {NightmillError} `usage`: fewer than two runs, no such run, or nothing that they have in common
 */
export async function compareRuns(
  app: Pick<App, 'store' | 'config'>,
  names: readonly string[],
  question?: WorthQuestion,
): Promise<RunComparison> {
  const runs = [...new Set(names)];
  if (runs.length < 2) throw new NightmillError('usage', 'Cannot compare fewer than two runs: name two or more.');
  const evaluations = await Promise.all(runs.map((run) => storedEvaluation(app, run)));
  const ranking = rankRuns(evaluations);
  if (ranking === undefined) {
    throw new NightmillError(
      'usage',
      `Cannot compare ${runs.join(' and ')}: they have no document, or no metric, in common. Evaluate both with one golden set.`,
    );
  }
  const specs = await Promise.all(runs.map((run) => submittedSpec(app, run)));
  return {
    workflow: evaluations[0]?.workflow ?? '',
    ranking,
    cascades: new Map(runs.map((run, index) => [run, textOf(specs[index])])),
    judged: await judgeRuns(app, evaluations),
    worth: question === undefined ? undefined : await worthOfRuns(app, runs, question),
  };
}

function textOf(spec: WorkflowSpec | undefined): string | null {
  return spec === undefined ? null : cascadeText(spec.cascade);
}

/** `compare --json`. */
export function runComparisonJson({ ranking, cascades, judged, worth }: RunComparison): object {
  return {
    ...ranking,
    runs: ranking.runs.map((each) => ({ ...each, cascade: cascades.get(each.run) ?? null })),
    ...(judged === undefined ? {} : { requirements: judged.map(({ name, verdicts }) => ({ run: name, verdicts })) }),
    ...(worth === undefined ? {} : { worth: worthJson(worth) }),
  };
}
