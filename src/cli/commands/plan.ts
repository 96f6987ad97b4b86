import type { Command } from 'commander';
import type { Config } from '../../../config/config.ts';
import { findWorkflow, workflowOf } from '../../../config/config.ts';
import { BUILT_INS } from '../../../config/defaults.ts';
import type { App } from '../../app.ts';
import { NightmillError } from '../../errors.ts';
import { formatUsd } from '../../money/money.ts';
import { pastLatencyTexts } from '../../operations/figures/past-latency.ts';
import { type InputFlags, readingOf, readMaxDocuments } from '../../operations/input-reading.ts';
import { type OpenedInputs, openInputs } from '../../operations/open-inputs.ts';
import { type PlanAnswer, planDocuments, planJson } from '../../operations/plan-documents.ts';
import type { HistoryAnswer } from '../../operations/read-history.ts';
import { readBudget, readTenant } from '../../operations/submit-values.ts';
import { ASSUMED_ESCALATION } from '../../plans/plan.ts';
import type { BatchPlan } from '../../plans/plan-batch.ts';
import type { PlannedLimit } from '../../plans/plan-limits.ts';
import type { ServerPlan } from '../../plans/server-cost.ts';
import { addInputOptions } from '../input-options.ts';
import { runSample } from '../plan-sample.ts';
import { globalOptions, print, readConfig, withApp } from '../with-app.ts';
import { markLines, planByModel, readModels } from './evidence/plan-models.ts';
import { monthLines, type OutlookFlags, readOutlook, scenarioLines } from './evidence/plan-outlook.ts';

export function addPlanCommand(program: Command): void {
  const command = program
    .command('plan')
    .description('what a batch would cost and take; no call is made and nothing is stored, but for --sample')
    .argument('<input...>', 'as for run')
    .requiredOption('-w, --workflow <name>', `workflow from the config, or built in, free and local: ${BUILT_INS}`)
    .option('--budget <usd>', 'how far would this limit reach?')
    .option('--tenant <name>', 'whose cascade and limits count, and whose batches as answered before')
    .option(
      '--sample <n>',
      'ask so many of the documents first, through budget and quota, and plan from what they took',
    )
    .option(
      '--models <a,b,c>',
      'a table: each of these in place of the cascade, and which requirements it meets; written as the candidates of choose',
    )
    .option(
      '--scenarios [per cents]',
      'a table: what if each tier but the last accepts so many of the documents; default 60,80,95',
    )
    .option('--per-month <n>', 'what so many documents like these cost a month: 1000000, or 40000/night')
    .option('--nights <n>', 'the same for so many batches like this one; without both, as the schedule says')
    .option('--new-only', 'only the documents that this workflow has not answered before');
  addInputOptions(command).action(async (inputs: string[], flags: PlanFlags) => {
    await plan(command, inputs, flags);
    process.exitCode = 0;
  });
}

interface PlanFlags extends InputFlags, OutlookFlags {
  readonly workflow: string;
  readonly budget?: string;
  readonly tenant?: string;
  readonly newOnly?: boolean;
  readonly sample?: string;
  readonly models?: string;
}

async function plan(command: Command, inputs: readonly string[], flags: PlanFlags): Promise<void> {
  const options = globalOptions(command);
  const config = readConfig(options);
  workflowOf(config, flags.workflow);
  const models = flags.models === undefined ? undefined : readModels({ ...flags, models: flags.models });
  await using opened = await openInputs(
    config,
    { names: inputs, stdin: process.stdin },
    readingOf(flags, findWorkflow(config, flags.workflow)?.input),
  );
  if (models !== undefined) {
    const maxDocuments = readMaxDocuments(flags.maxDocuments);
    const tenant = readTenant(flags.tenant);
    await planByModel(config, options, { workflow: flags.workflow, opened, maxDocuments, models, tenant });
    return;
  }
  const answer = await planCascade(command, config, opened, flags);
  print(options, planJson(answer), () => planText(answer, flags.scenarios !== undefined));
}

/** The plan, after a sample has been asked where one is wanted. */
async function planCascade(
  command: Command,
  config: Config,
  opened: OpenedInputs,
  flags: PlanFlags,
): Promise<PlanAnswer> {
  const sample = flags.sample === undefined ? undefined : readSample(flags.sample);
  const operation = {
    workflow: flags.workflow,
    opened,
    budget: readBudget(flags.budget),
    ...readOutlook(flags),
    tenant: readTenant(flags.tenant),
    newOnly: flags.newOnly,
    maxDocuments: readMaxDocuments(flags.maxDocuments),
  };
  const planWith = (given: App | undefined) =>
    planDocuments(config, {
      ...operation,
      now: Date.now(),
      ...(given === undefined ? {} : { store: given.store }),
    });
  if (sample === undefined) return await planWith(undefined);
  return await withApp(
    command,
    async (app, _options, announce) => {
      const { workflow, tenant } = operation;
      const total = (await planWith(app)).plan.documents;
      await runSample(app, { workflow, source: opened.source, total, count: sample, tenant, announce });
      return await planWith(app);
    },
    { missingSecrets: 'refuse' },
  );
}

function readSample(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new NightmillError('usage', `Cannot read --sample ${text}: write how many documents to ask, e.g. --sample 20.`);
}

function planText(answer: PlanAnswer, showsScenarios: boolean): string {
  const { workflow, plan, past, limits, answeredBefore, newOnly, labels, notes, marks, servers, outlook } = answer;
  const { documents, problems, inputTokens, calls, long, cost, minutes } = plan;
  const count = (number: number) => number.toLocaleString('en');
  return [
    `documents  ${count(documents)}${problems === 0 ? '' : `, and ${problems} bad lines (run names them)`}`,
    ...answeredLines(answeredBefore, newOnly),
    ...(labels.length === 0 ? [] : [`labels     ${labels.join(', ')}`]),
    `tokens     ${count(inputTokens)} of input`,
    ...routeLines(plan),
    `calls      ${count(calls.low)} to ${count(calls.worst)} to providers`,
    ...(long.documents === 0
      ? []
      : [
          `long       ${count(long.documents)} documents in ${count(long.parts)} parts; at most ${long.depth} calls wait for each other`,
        ]),
    ...instructionLines(plan),
    dollarLine(plan),
    ...beyondLimitLines(plan),
    ...dearestLines(plan),
    `minutes    low ${minutes.low}   expected ${minutes.expected}   worst case ${minutes.worst}`,
    ...pastLatencyTexts(answer.latency).map((text) => `latency    ${text}`),
    ...servers.map(serverLine),
    ...(showsScenarios ? scenarioLines(outlook, documents) : []),
    ...monthLines(outlook),
    ...limits.map(limitLine),
    expectedFrom(past, cost.worst > 0 || plan.unpriced.length > 0),
    ...notes.map((note) => `note       ${note}`),
    ...(marks === undefined ? [] : markLines(workflow, [{ ...marks, name: '(the cascade)' }])),
    '',
  ].join('\n');
}

function routeLines({ route, documents }: BatchPlan): readonly string[] {
  if (route === undefined || documents === 0) return [];
  if (route.from === 'unknown') {
    return [
      `route      by ${route.by}: where documents begin is not known before they are asked; --sample 20 finds out`,
    ];
  }
  const starts = route.starts.map(
    (start) =>
      `${start.documents.toLocaleString('en')} at ${start.model} (${Math.round((start.documents * 100) / documents)} %)`,
  );
  return [
    `route      by ${route.by}: ${starts.join(', ')}${route.from === 'history' ? ', as in earlier batches' : ''}`,
  ];
}

function dollarLine({ cost, unpriced }: BatchPlan): string {
  if (unpriced.length > 0) {
    return `dollars    NOT KNOWN: no price is known for ${unpriced.join(', ')}. Add price: to the model; see nightmill prices`;
  }
  return `dollars    low ${formatUsd(cost.low)}   expected ${formatUsd(cost.expected)}   worst case ${formatUsd(cost.worst)}`;
}

/** Where most of the input is the same words, shorter instructions save more than a cheaper model. */
function instructionLines({ instructionsShare }: BatchPlan): readonly string[] {
  if (instructionsShare === undefined || instructionsShare < 0.5) return [];
  return [
    `           ${Math.round(instructionsShare * 100)} % of what is sent are instructions, the same in each call`,
  ];
}

/** Worth a look where a few documents make up much of the cost. */
function beyondLimitLines({ beyondLimit }: BatchPlan): readonly string[] {
  if (beyondLimit === undefined) return [];
  const { documents, limit } = beyondLimit;
  const what =
    documents === 0
      ? 'none is expected to reach it'
      : `${documents} ${documents === 1 ? 'is' : 'are'} expected to cost more, and to end there with what was answered`;
  return [`document   at most ${formatUsd(limit)} for one: ${what}`];
}

function dearestLines({ dearest, cost, documents, beyondLimit }: BatchPlan): readonly string[] {
  const limit = beyondLimit?.limit ?? Number.POSITIVE_INFINITY;
  const sum = dearest.reduce((total, each) => total + Math.min(each.cost, limit), 0);
  if (dearest.length === 0 || documents <= dearest.length || sum * 5 < cost.expected) return [];
  // What is expected may come from nights of cheaper documents.
  const share = sum > cost.expected ? '' : ` are ${Math.round((sum * 100) / cost.expected)} % of it`;
  return [
    `dearest    ${dearest.length} documents${share}: ${dearest.map(({ id, cost: usd }) => `${id} ${formatUsd(usd)}`).join(', ')}`,
  ];
}

function serverLine({ provider, perHour, idleMinutes, cost }: ServerPlan): string {
  if (perHour === undefined || cost === undefined) {
    return `server     ${provider}: cost NOT KNOWN: set price.perHour of the provider`;
  }
  return (
    `server     ${provider} at ${formatUsd(perHour)} an hour, beside the dollars above: low ${formatUsd(cost.low)}   expected ${formatUsd(cost.expected)}   ` +
    `worst case ${formatUsd(cost.worst)}; with ${idleMinutes} min that it stays on afterwards, without its start`
  );
}

function limitLine({ scope, limit, spent, covers }: PlannedLimit): string {
  const already = spent === undefined ? ', spent so far not known' : spent === 0 ? '' : `, ${formatUsd(spent)} spent`;
  const head = `limit      ${scope} ${formatUsd(limit)}${already}: `;
  switch (covers.kind) {
    case 'worst':
      return `${head}covers the whole batch`;
    case 'expected':
      return `${head}covers the whole batch at the expected price, not in the worst case`;
    case 'part':
      return `${head}covers about ${covers.documents.toLocaleString('en')} documents at the expected price`;
    default:
      return `${head}how far it reaches is not known`;
  }
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
  if (!paid) return `history    no history (${past.reason})`;
  return (
    `history    NO HISTORY (${past.reason}): expected is a guess, which assumes that ${ASSUMED_ESCALATION * 100} % of the documents move on from ` +
    'one tier to the next. --sample 20 measures it for about what 20 documents cost'
  );
}
