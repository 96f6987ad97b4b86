import { findWorkflow } from '../../../config/config.ts';
import type { App } from '../../app.ts';
import type { BatchSubmission } from '../../batches/batch-submission.ts';
import type { Evaluation } from '../../evaluation/evaluation.ts';
import { storeKeys } from '../../store/store-keys.ts';
import { type Judged, judge } from '../../workflows/requirements.ts';
import { evaluatedFacts } from './candidate-facts.ts';

/** Probability that any run that fails a requirement is taken for one that meets it. */
export const DELTA = 0.05;

/**
 * Runs, each held to the requirements that the workflow of the first one has in the config now.
 *
 * @returns undefined where that has none
 */
export async function judgeRuns(
  app: Pick<App, 'store' | 'config'>,
  evaluations: readonly Evaluation[],
): Promise<readonly Judged[] | undefined> {
  const requirements = findWorkflow(app.config, evaluations[0]?.workflow ?? '')?.requirements;
  if (requirements === undefined) return undefined;
  return await Promise.all(
    evaluations.map(async (evaluation) => {
      const spec = await submittedSpec(app, evaluation.run);
      const facts = await evaluatedFacts(app, spec, requirements, evaluation, DELTA / evaluations.length);
      return { name: evaluation.run, verdicts: judge(requirements, facts) };
    }),
  );
}

/** The workflow that a run was made with; undefined: its batch was deleted. */
export async function submittedSpec({ store }: Pick<App, 'store'>, run: string) {
  const bytes = await store.get(storeKeys.submission(run));
  return bytes === undefined ? undefined : (JSON.parse(Buffer.from(bytes).toString()) as BatchSubmission).workflow;
}
