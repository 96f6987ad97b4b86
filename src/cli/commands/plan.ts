import type { Command } from 'commander';
import type { Config } from '../../../config/config.ts';
import { openStore } from '../../adapters/open-store.ts';
import { workflowOf } from '../../app.ts';
import { formatUsd, nanoToDecimal } from '../../domain/money.ts';
import { ASSUMED_ESCALATION } from '../../domain/plan.ts';
import { LOCAL_MODEL_NAME, poolOf, type WorkflowSpec } from '../../domain/workflow.ts';
import type { Throughput } from '../../pipeline/plan-batch.ts';
import { planBatch } from '../../pipeline/plan-batch.ts';
import { workflowHash } from '../../pipeline/workflow-hash.ts';
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
      const covered =
        limit === undefined || plan.cost.expected === 0
          ? undefined
          : Math.min(plan.documents, Math.floor((limit * plan.documents) / plan.cost.expected));
      const usd = (nano: number) => JSON.rawJSON(nanoToDecimal(nano));
      print(
        options,
        {
          workflow: flags.workflow,
          documents: plan.documents,
          problems: plan.problems,
          inputTokens: plan.inputTokens,
          calls: plan.calls,
          long: plan.long,
          costUsd: { low: usd(plan.cost.low), expected: usd(plan.cost.expected), worst: usd(plan.cost.worst) },
          minutes: plan.minutes,
          limitUsd: limit === undefined ? null : usd(limit),
          documentsCovered: covered ?? null,
          history: past.kind === 'known' ? { batches: past.history.batches } : { batches: 0, reason: past.reason },
        },
        () =>
          [
            `documents  ${plan.documents.toLocaleString('en')}${plan.problems === 0 ? '' : `, and ${plan.problems} bad lines (run names them)`}`,
            `tokens     ${plan.inputTokens.toLocaleString('en')} of input`,
            `calls      ${plan.calls.low.toLocaleString('en')} to ${plan.calls.worst.toLocaleString('en')} to providers`,
            ...(plan.long.documents === 0
              ? []
              : [
                  `long       ${plan.long.documents.toLocaleString('en')} documents in ${plan.long.parts.toLocaleString('en')} parts; at most ${plan.long.depth} calls wait for each other`,
                ]),
            `dollars    low ${formatUsd(plan.cost.low)}   expected ${formatUsd(plan.cost.expected)}   worst case ${formatUsd(plan.cost.worst)}`,
            `minutes    low ${plan.minutes.low}   expected ${plan.minutes.expected}   worst case ${plan.minutes.worst}`,
            ...(limit === undefined
              ? []
              : [
                  `limit      ${formatUsd(limit)} covers about ${(covered ?? plan.documents).toLocaleString('en')} documents at the expected price`,
                ]),
            expectedFrom(past, plan.cost.worst > 0),
            '',
          ].join('\n'),
      );
      process.exitCode = 0;
    },
  );
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
