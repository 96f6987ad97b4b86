import type { Command } from 'commander';
import { stringify } from 'yaml';
import { workflowOf } from '../../../../config/config.ts';
import { candidateWorkflow } from '../../../../config/workflows/tenant-workflow.ts';
import type { WrittenTier } from '../../../../config/workflows/tried-cascade.ts';
import type { App } from '../../../app.ts';
import { NightmillError } from '../../../errors.ts';
import { formatUsd, nanoToDecimal, usdJson, usdToNano } from '../../../money/money.ts';
import { evaluatedFacts } from '../../../operations/evidence/candidate-facts.ts';
import { evaluateBatch, parseGolden } from '../../../operations/evidence/evaluations.ts';
import { DELTA } from '../../../operations/evidence/meets.ts';
import { readBudget, readNames } from '../../../operations/submit-values.ts';
import { type Candidate, type Choice, chooseCandidate, type Requirements } from '../../../workflows/requirements.ts';
import { answerGolden, readText } from '../../answer-golden.ts';
import { verdictLines } from '../../format-verdicts.ts';
import { type GlobalOptions, print, withApp } from '../../with-app.ts';

interface ChooseFlags {
  readonly workflow: string;
  readonly golden: string;
  readonly candidates: string;
  readonly budget?: string;
}

export function addChooseCommand(program: Command): void {
  const command = program
    .command('choose')
    .description('answers a golden set with each candidate, and names the cheapest that surely meets the requirements')
    .requiredOption('-w, --workflow <name>', 'workflow from the config, with requirements')
    .requiredOption('--golden <file>', 'as for eval')
    .requiredOption(
      '--candidates <a,b,c>',
      'each in place of the cascade: a model, tiers such as "small@0.9>large", a plan or a workflow by its name',
    )
    .option('--budget <usd>', 'most that all candidates together may cost')
    .action(async (flags: ChooseFlags) => {
      process.exitCode = await withApp(command, (app, options) => choose(app, options, flags), {
        missingSecrets: 'refuse',
      });
    });
}

async function choose(app: App, options: GlobalOptions, flags: ChooseFlags): Promise<number> {
  const requirements = requirementsOf(app, flags.workflow);
  const names = readNames(flags.candidates);
  const tried = names.map((name) => candidateWorkflow(workflowOf(app.config, flags.workflow), name));
  const golden = parseGolden(readText(flags.golden), flags.golden);
  const budget = readBudget(flags.budget);
  const candidates: Run[] = [];
  let spent = 0;
  for (const [index, candidate] of names.entries()) {
    const { spec, written } = tried[index] ?? {};
    if (spec === undefined) continue;
    const left = budget === undefined ? {} : { budget: nanoToDecimal(Math.max(0, budget - spent)) };
    const run = await answerGolden(app, options, {
      workflow: flags.workflow,
      golden: flags.golden,
      candidate,
      ...left,
    });
    if (typeof run === 'number') return run;
    const evaluation = await evaluateBatch(app, run, golden);
    spent += evaluation.items.reduce((sum, { costUsd }) => sum + usdToNano(costUsd), 0);
    const facts = await evaluatedFacts(app, spec, requirements, evaluation, DELTA / names.length);
    candidates.push({ name: candidate, facts, run, written });
  }
  const choice = chooseCandidate(requirements, candidates);
  print(options, choiceJson(choice, candidates, golden.length, spent), () =>
    choiceText(flags, choice, candidates, golden.length, spent),
  );
  return choice.chosen === undefined ? 1 : 0;
}

function requirementsOf({ config }: Pick<App, 'config'>, name: string): Requirements {
  const { requirements } = workflowOf(config, name);
  if (requirements !== undefined) return requirements;
  throw new NightmillError(
    'usage',
    `Cannot choose for ${name} without requirements. Write under workflows.${name}, for instance: ` +
      'requirements: { minQuality: { metric: accuracy, value: 0.9 }, usdPerThousandDocuments: 2 }',
  );
}

interface Run extends Candidate {
  readonly run: string;
  /** Undefined: the cascade is the workflow's own. */
  readonly written: readonly WrittenTier[] | undefined;
}

function choiceJson(choice: Choice, candidates: readonly Run[], documents: number, spent: number): object {
  return {
    chosen: choice.chosen ?? null,
    excludesAll: choice.excludesAll,
    documents,
    spentUsd: usdJson(spent),
    candidates: choice.candidates.map((judged, index) => {
      const { run, written } = candidates[index] ?? {};
      return { ...judged, run, ...(written === undefined ? {} : { cascade: written }) };
    }),
  };
}

function choiceText(
  { workflow, golden }: ChooseFlags,
  choice: Choice,
  candidates: readonly Run[],
  documents: number,
  spent: number,
): string {
  return [
    `${documents} documents of ${golden}, ${candidates.length} candidates, ${formatUsd(spent)} spent on them; surely: so for all of them together in 95 of 100 cases`,
    ...verdictLines(choice.candidates),
    ...conclusion(workflow, choice, candidates),
    `compare them: nightmill compare ${candidates.map(({ run }) => run).join(' ')}`,
    '',
  ].join('\n');
}

function conclusion(workflow: string, { chosen, excludesAll }: Choice, candidates: readonly Run[]): readonly string[] {
  const best = candidates.find(({ name }) => name === chosen);
  if (best !== undefined) {
    const cost = Math.round((best.facts.costPerDocument?.value ?? 0) * 1_000);
    return [
      `choose ${best.name}: the cheapest that surely meets all, ${formatUsd(cost)} for a thousand documents`,
      best.written === undefined
        ? `it is the cascade of ${workflow}: nothing to change`
        : `under workflows.${workflow}: cascade: ${inOneLine(best.written)}`,
    ];
  }
  if (excludesAll.length > 0) return [`none: ${excludesAll.join(' and ')} excludes every candidate`];
  return ['none meets all requirements at once; each of them is met by some candidate'];
}

/** As YAML. */
function inOneLine(written: readonly WrittenTier[]): string {
  return stringify(written, { collectionStyle: 'flow', lineWidth: 0 }).trim();
}
