import { workflowOf } from '../../config/config.ts';
import { probeProvider } from '../adapters/provider-probe.ts';
import type { App } from '../app.ts';
import { formatUsd } from '../money/money.ts';
import { type InputFlags, readingOf, readMaxDocuments } from '../operations/input-reading.ts';
import { openInputs } from '../operations/open-inputs.ts';
import { readDeadline, readExpiry } from '../operations/read-deadline.ts';
import { type SubmitAnswer, submitDocuments } from '../operations/submit-documents.ts';
import { readBudget, readLabels, readName, readPriority, readTenant } from '../operations/submit-values.ts';
import { describeUnlisted } from '../operations/unlisted-models.ts';
import { labelsOf, type WorkflowSpec } from '../workflows/workflow.ts';

export interface SubmitFlags extends InputFlags {
  readonly workflow: string;
  readonly id?: string;
  readonly budget?: string;
  readonly tenant?: string;
  readonly priority?: string;
  readonly deadline?: string;
  readonly expires?: string;
  readonly name?: string;
  readonly label?: readonly string[];
  readonly skipInvalid?: boolean;
  readonly newOnly?: boolean;
  /** In place of the workflow's cascade, as `candidateWorkflow` reads it. */
  readonly candidate?: string;
  /** No flag: said by the command. */
  readonly isEvaluation?: boolean;
}

function describeAnsweredBefore(
  { batch, answeredBefore: { documents, cost } }: SubmitAnswer,
  newOnly: boolean,
): string | undefined {
  if (documents === 0) return undefined;
  const count = `${documents.toLocaleString('en')} of ${batch.documents.toLocaleString('en')} documents`;
  const saves = cost === 0 ? '' : `, which saves about ${formatUsd(cost)}`;
  return newOnly
    ? `${count} were answered before by this workflow; they take those answers${saves}.`
    : `${count} were answered before by this workflow; all are asked again. --new-only would take those answers${saves}.`;
}

/** Whoever has not written the labels learns of them here. */
function describeBuiltIn(spec: WorkflowSpec): string {
  const labels = labelsOf(spec);
  const what = labels.length === 0 ? '' : `, with the labels ${labels.join(', ')}`;
  return `${spec.name} is built in, free and local${what}. A workflow of that name in nightmill.yaml replaces it.`;
}

/** What `run` and `submit` share: flags to a stored and enqueued batch. */
export async function submitInputs(
  app: App,
  inputs: readonly string[],
  flags: SubmitFlags,
  announce: (line: string) => void,
  signal?: AbortSignal,
): Promise<SubmitAnswer> {
  const { config } = app;
  const workflow = workflowOf(config, flags.workflow);
  const now = app.clock.now();
  const values = {
    budget: readBudget(flags.budget),
    tenant: readTenant(flags.tenant),
    priority: flags.priority === undefined ? undefined : readPriority(flags.priority),
    deadline: readDeadline(flags.deadline, now),
    expiresAt: readExpiry(flags.expires, now),
    name: readName(flags.name),
    labels: readLabels(flags.label),
    maxDocuments: readMaxDocuments(flags.maxDocuments),
  };
  // Beside the reading of the documents, which takes longer.
  const unlisted = describeUnlisted(workflow.spec, config.providers, probeProvider);
  await using opened = await openInputs(
    config,
    { names: inputs, stdin: process.stdin },
    readingOf(flags, workflow.input),
    signal,
  );
  if (config.workflows.get(flags.workflow) !== workflow || config.file === undefined)
    announce(describeBuiltIn(workflow.spec));
  const answer = await submitDocuments(app, {
    workflow: flags.workflow,
    source: opened.source,
    id: flags.id,
    ...values,
    skipInvalid: flags.skipInvalid,
    newOnly: flags.newOnly,
    candidate: flags.candidate,
    isEvaluation: flags.isEvaluation,
    onWarning: (line) => announce(`Warning: ${line}`),
    onSummary: ({ ignored, ignoredExamples }) => {
      if (ignored > 0) announce(`${ignored} files of other types were left out (${ignoredExamples.join(', ')}).`);
    },
    signal,
  });
  const before = describeAnsweredBefore(answer, flags.newOnly === true);
  if (before !== undefined) announce(before);
  for (const line of await unlisted) announce(line);
  for (const what of answer.ignored) announce(`${answer.batchId} was submitted before: its ${what}.`);
  return answer;
}
