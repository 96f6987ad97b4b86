import type { Command } from 'commander';
import type { Config } from '../../../config/config.ts';
import { workflowOf } from '../../app.ts';
import { checkExamples } from '../../doctor/check-examples.ts';
import { checkModelFacts } from '../../doctor/check-model-facts.ts';
import { formatUsd } from '../../money/money.ts';
import { type InputFlags, readingOf, readMaxDocuments } from '../../operations/input-reading.ts';
import { openInputs } from '../../operations/open-inputs.ts';
import { type PlanAnswer, planDocuments, planJson } from '../../operations/plan-documents.ts';
import type { HistoryAnswer } from '../../operations/read-history.ts';
import { readBudget, readTenant } from '../../operations/submit-values.ts';
import { ASSUMED_ESCALATION } from '../../plans/plan.ts';
import { modelsOfTier } from '../../workflows/workflow.ts';
import { addInputOptions } from '../input-options.ts';
import { globalOptions, print, readConfig } from '../with-app.ts';

export function addPlanCommand(program: Command): void {
  const command = program
    .command('plan')
    .description('what a batch would cost and take; no call is made and nothing is stored')
    .argument('<input...>', 'as for run')
    .requiredOption('-w, --workflow <name>', 'workflow from the config')
    .option('--budget <usd>', 'how far would this limit reach?')
    .option('--tenant <name>', 'whose batches count as answered before')
    .option('--new-only', 'only the documents that this workflow has not answered before');
  addInputOptions(command).action(
    async (
      inputs: string[],
      flags: InputFlags & { workflow: string; budget?: string; tenant?: string; newOnly?: boolean },
    ) => {
      const options = globalOptions(command);
      const config = readConfig(options);
      workflowOf(config, flags.workflow);
      await using opened = await openInputs(
        config,
        { names: inputs, stdin: process.stdin },
        readingOf(flags, config.workflows.get(flags.workflow)?.input),
      );
      const answer = await planDocuments(config, {
        workflow: flags.workflow,
        opened,
        budget: readBudget(flags.budget),
        tenant: readTenant(flags.tenant),
        newOnly: flags.newOnly,
        maxDocuments: readMaxDocuments(flags.maxDocuments),
      });
      const notes = modelNotes(config, flags.workflow);
      print(options, { ...planJson(answer), warnings: notes }, () => planText(answer, notes));
      process.exitCode = 0;
    },
  );
}

/** What is not known, or assumed, about the workflow's models, and examples that are not used. */
function modelNotes(config: Config, name: string): readonly string[] {
  const used = new Set(
    workflowOf(config, name)
      .spec.cascade.flatMap(modelsOfTier)
      .map((model) => model.name),
  );
  const facts = new Map([...config.modelFacts].filter(([model]) => used.has(model)));
  const checks = [
    ...checkModelFacts(facts, config.prices.asOf, Date.now()),
    ...checkExamples(name, workflowOf(config, name).spec),
  ];
  return checks.map((check) => `${check.name}: ${check.detail}`);
}

function planText({ plan, past, limit, answeredBefore, newOnly }: PlanAnswer, notes: readonly string[]): string {
  const { documents, problems, inputTokens, calls, long, cost, minutes } = plan;
  const count = (number: number) => number.toLocaleString('en');
  return [
    `documents  ${count(documents)}${problems === 0 ? '' : `, and ${problems} bad lines (run names them)`}`,
    ...answeredLines(answeredBefore, newOnly),
    `tokens     ${count(inputTokens)} of input`,
    `calls      ${count(calls.low)} to ${count(calls.worst)} to providers`,
    ...(long.documents === 0
      ? []
      : [
          `long       ${count(long.documents)} documents in ${count(long.parts)} parts; at most ${long.depth} calls wait for each other`,
        ]),
    `dollars    low ${formatUsd(cost.low)}   expected ${formatUsd(cost.expected)}   worst case ${formatUsd(cost.worst)}`,
    `minutes    low ${minutes.low}   expected ${minutes.expected}   worst case ${minutes.worst}`,
    ...(limit === undefined
      ? []
      : [
          `limit      ${formatUsd(limit.usd)} covers about ${count(limit.documents ?? documents)} documents at the expected price`,
        ]),
    expectedFrom(past, cost.worst > 0),
    ...notes.map((note) => `note       ${note}`),
    '',
  ].join('\n');
}

function answeredLines(before: PlanAnswer['answeredBefore'], newOnly: boolean): readonly string[] {
  if (before === undefined) return ['answered   not known: the store cannot be read'];
  if (before.documents === 0) return [];
  const saved = before.cost === 0 ? '' : `, about ${formatUsd(before.cost)}`;
  const what = newOnly ? 'left out below' : 'with --new-only they would not be asked';
  return [`answered   ${before.documents.toLocaleString('en')} before by this workflow${saved}: ${what}`];
}

function expectedFrom(past: HistoryAnswer, paid: boolean): string {
  if (past.kind === 'known') {
    const { batches } = past.history;
    return `history    expected is what ${batches === 1 ? 'the last finished batch' : `the last of ${batches} finished batches`} of this workflow took`;
  }
  const assumed = paid
    ? `; assumed: ${ASSUMED_ESCALATION * 100} % of the documents go on from one tier to the next`
    : '';
  return `history    no history (${past.reason})${assumed}`;
}
