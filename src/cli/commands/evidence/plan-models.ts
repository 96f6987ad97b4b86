import type { Config } from '../../../../config/config.ts';
import { NightmillError } from '../../../errors.ts';
import { formatUsd, type NanoUsd } from '../../../money/money.ts';
import {
  type ModelPlan,
  modelPlansJson,
  type PlanModelsOperation,
  planModels,
} from '../../../operations/evidence/plan-models.ts';
import type { Marks } from '../../../operations/evidence/requirement-marks.ts';
import { readNames } from '../../../operations/submit-values.ts';
import { verdictLines } from '../../format-verdicts.ts';
import { table } from '../../table.ts';
import { type GlobalOptions, print } from '../../with-app.ts';

export interface PlanModelsFlags {
  readonly models: string;
  readonly budget?: string | undefined;
  readonly newOnly?: boolean;
  readonly sample?: string;
}

/** Reads the names and refuses the flags that say nothing about models side by side. @throws {NightmillError} `usage` */
export function readModels({ models, budget, newOnly, sample }: PlanModelsFlags): readonly string[] {
  const others = { budget, 'new-only': newOnly, sample };
  const other = Object.entries(others).find(([, value]) => value !== undefined);
  if (other !== undefined) {
    throw new NightmillError('usage', `Cannot use --${other[0]} with --models: plan one after the other.`);
  }
  const names = readNames(models);
  if (names.length > 0) return names;
  throw new NightmillError('usage', 'Cannot plan with --models without a name: write --models small,large.');
}

/** `plan --models`. */
export async function planByModel(
  config: Config,
  options: GlobalOptions,
  operation: PlanModelsOperation,
): Promise<void> {
  const plans = await planModels(config, operation);
  const { workflow } = operation;
  print(options, modelPlansJson(workflow, plans), () => modelPlansText(workflow, plans));
}

/** A table of the plans, and one of the requirements. */
export function modelPlansText(workflow: string, plans: readonly ModelPlan[]): string {
  const { documents = 0, problems = 0, inputTokens = 0 } = plans[0]?.plan ?? {};
  const bad = problems === 0 ? '' : `, and ${problems} bad lines (run names them)`;
  return [
    `${documents.toLocaleString('en')} documents${bad}, ${inputTokens.toLocaleString('en')} tokens of input; each model in place of the cascade of ${workflow}`,
    ...table([
      ['model', 'low', 'expected', 'worst case', 'minutes (low, expected, worst)', 'calls'],
      ...plans.map((each) => [nameOf(each), ...dollars(each), minutes(each), calls(each)]),
    ]),
    ...expectationLines(plans),
    ...markLines(
      workflow,
      plans.flatMap((each) => (each.marks === undefined ? [] : [{ ...each.marks, name: nameOf(each) }])),
    ),
    '',
  ].join('\n');
}

function nameOf({ model }: ModelPlan): string {
  return model ?? '(the cascade)';
}

function dollars({ plan: { cost, unpriced } }: ModelPlan): readonly string[] {
  const say = (nano: NanoUsd) => (unpriced.length > 0 ? 'not known' : formatUsd(nano));
  return [say(cost.low), say(cost.expected), say(cost.worst)];
}

function minutes({ plan }: ModelPlan): string {
  const { low, expected, worst } = plan.minutes;
  return `${low}, ${expected}, ${worst}`;
}

function calls({ plan }: ModelPlan): string {
  return `${plan.calls.low.toLocaleString('en')} to ${plan.calls.worst.toLocaleString('en')}`;
}

function expectationLines(plans: readonly ModelPlan[]): readonly string[] {
  const unpriced = [...new Set(plans.flatMap(({ plan }) => plan.unpriced))];
  const measured = plans.filter(({ plan }) => plan.fromHistory).map(nameOf);
  return [
    measured.length === 0
      ? 'no history: what is expected is a guess'
      : `what is expected is history for ${measured.join(' and ')}, a guess for the others`,
    ...(unpriced.length === 0
      ? []
      : [`no price is known for ${unpriced.join(', ')}: add price: to the model; see nightmill prices`]),
  ];
}

/** The requirements, and which of these ways of answering meets them. */
export function markLines(workflow: string, marks: readonly (Marks & { readonly name: string })[]): readonly string[] {
  if (marks.length === 0) return [];
  const evaluated = marks.flatMap(({ name, evaluation }) => (evaluation === null ? [] : [`${name} by ${evaluation}`]));
  return [
    '',
    `requirements of ${workflow}; dollars as expected above, hours at the quota and the measured latency`,
    ...verdictLines(marks),
    evaluated.length === 0
      ? 'quality and format are not known before an evaluation: nightmill choose, or eval'
      : `quality and format as evaluated: ${evaluated.join(', ')}`,
  ];
}
