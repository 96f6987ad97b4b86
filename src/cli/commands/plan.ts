import type { Command } from 'commander';
import type { Config } from '../../../config/config.ts';
import { openStore } from '../../adapters/open-store.ts';
import { workflowOf } from '../../app.ts';
import { workflowHash } from '../../batches/workflow-hash.ts';
import { formatUsd, type NanoUsd, nanoToDecimal } from '../../money/money.ts';
import { ASSUMED_ESCALATION } from '../../plans/plan.ts';
import { type BatchPlan, planBatch, type Throughput } from '../../plans/plan-batch.ts';
import { LOCAL_MODEL_NAME, poolOf, type WorkflowSpec } from '../../workflows/workflow.ts';
import { addInputOptions, type InputFlags, readingOf, readMaxDocuments } from '../input-options.ts';
import { type HistoryAnswer, readHistory } from '../read-history.ts';
import { openInputs, readBudget } from '../submit-inputs.ts';
import { globalOptions, print, readConfig } from '../with-app.ts';

/** What a paid call takes where nothing is known of the provider. */
const ASSUMED_CALL_SECONDS = 2;

export function addPlanCommand(program: Command): void {
  const command = program
    .command('plan')
    .description('what a batch would cost and take; no call is made and nothing is stored')
    .argument('<input...>', 'as for run')
    .requiredOption('-w, --workflow <name>', 'workflow from the config')
    .option('--budget <usd>', 'how far would this limit reach?');
  addInputOptions(command).action(
    async (inputs: string[], flags: InputFlags & { workflow: string; budget?: string }) => {
      const options = globalOptions(command);
      const config = readConfig(options);
      const workflow = workflowOf(config, flags.workflow);
      const limit = readBudget(flags.budget) ?? workflow.budget.batch;
      await using opened = await openInputs(
        { folder: config.folder, openStore: (url) => openStore({ ...config.store, url }) },
        inputs,
        readingOf(flags, workflow.input),
      );
      const past = sameVersion(await readHistory(config, flags.workflow), workflowHash(workflow.spec));
      const plan = await planBatch(opened.inputs, workflow.spec, {
        maxLineBytes: config.ingest.maxLineBytes,
        maxDocuments: readMaxDocuments(flags.maxDocuments),
        throughput: throughputOf(config, workflow.spec),
        ...(past.kind === 'known' ? { history: past.history } : {}),
      });
      const answer: PlanAnswer = {
        workflow: flags.workflow,
        plan,
        past,
        ...(limit === undefined ? {} : { limit: { usd: limit, documents: documentsCovered(plan, limit) } }),
      };
      print(options, planJson(answer), () => planText(answer));
      process.exitCode = 0;
    },
  );
}

interface PlanAnswer {
  readonly workflow: string;
  readonly plan: BatchPlan;
  readonly past: HistoryAnswer;
  /** `documents`: about how many it pays for; absent where they are expected to cost nothing. */
  readonly limit?: { readonly usd: NanoUsd; readonly documents: number | undefined };
}

function documentsCovered({ documents, cost }: BatchPlan, limit: NanoUsd): number | undefined {
  return cost.expected === 0 ? undefined : Math.min(documents, Math.floor((limit * documents) / cost.expected));
}

function planJson({ workflow, plan, past, limit }: PlanAnswer): object {
  const { documents, problems, inputTokens, calls, long, cost, minutes } = plan;
  const usd = (nano: NanoUsd) => JSON.rawJSON(nanoToDecimal(nano));
  return {
    workflow,
    documents,
    problems,
    inputTokens,
    calls,
    long,
    costUsd: { low: usd(cost.low), expected: usd(cost.expected), worst: usd(cost.worst) },
    minutes,
    limitUsd: limit === undefined ? null : usd(limit.usd),
    documentsCovered: limit?.documents ?? null,
    history: past.kind === 'known' ? { batches: past.history.batches } : { batches: 0, reason: past.reason },
  };
}

function planText({ plan, past, limit }: PlanAnswer): string {
  const { documents, problems, inputTokens, calls, long, cost, minutes } = plan;
  const count = (number: number) => number.toLocaleString('en');
  return [
    `documents  ${count(documents)}${problems === 0 ? '' : `, and ${problems} bad lines (run names them)`}`,
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
    '',
  ].join('\n');
}

/** History of a workflow that was other then (models, prices, prompts' settings) says nothing about this one. */
function sameVersion(answer: HistoryAnswer, configHash: string): HistoryAnswer {
  if (answer.kind === 'unknown' || answer.history.configHash === configHash) return answer;
  return { kind: 'unknown', reason: 'the workflow has changed since its last batch' };
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

/** How fast one process can ask the first paid tier. */
export function throughputOf(config: Pick<Config, 'providers' | 'pools'>, workflow: WorkflowSpec): Throughput {
  const model = workflow.cascade.find((tier) => tier.model.name !== LOCAL_MODEL_NAME)?.model;
  if (model === undefined) return { limits: {}, callsPerMinute: Number.POSITIVE_INFINITY };
  const limits = config.pools.get(poolOf(model)) ?? {};
  const inFlight = Math.min(
    config.providers.get(model.provider)?.limits.concurrency ?? 1,
    limits.concurrency ?? Number.POSITIVE_INFINITY,
  );
  return { limits, callsPerMinute: (inFlight * 60) / ASSUMED_CALL_SECONDS };
}
