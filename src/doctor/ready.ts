import type { Check } from './check.ts';

/** What is known of one workflow before it goes into production; no secret and no document among it. */
export interface WorkflowReadiness {
  readonly name: string;
  readonly isPaid: boolean;
  /** Paid tiers by their model's name. */
  readonly tiers: readonly {
    readonly model: string;
    readonly isPinned: boolean;
    readonly fallbacks: readonly string[];
    readonly limits: readonly string[];
    readonly isPriced: boolean;
  }[];
  /** Limits that hold its money, as people write them: `batch $5.00`. */
  readonly budgets: readonly string[];
  /** Lines of its golden set; absent: there is none. */
  readonly golden?: { readonly file: string; readonly lines: number; readonly cases: ReadonlySet<string> };
}

/** What a person has written down beside the config, because no program can see it. */
export interface WrittenEvidence {
  /** Where it stands. */
  readonly file: string;
  /** Models or configs that were compared. */
  readonly candidates: readonly string[];
  /** Share of replies that were valid JSON, 0 to 1, where somebody has measured it. */
  readonly jsonValidity?: number;
  readonly rollback?: { readonly file: string; readonly exists: boolean };
}

export interface Readiness {
  readonly workflows: readonly WorkflowReadiness[];
  /** How many webhooks are told of alerts. */
  readonly webhooks: number;
  readonly missingSecrets: readonly string[];
  readonly evidence: WrittenEvidence;
}

const LEAST_GOLDEN = 20;
const LEAST_CANDIDATES = 3;
const CASES = ['long', 'hostile', 'multilingual'] as const;

/** The boxes of the list before production, each with its evidence or with what to do. Pure. */
export function readyChecks({ workflows, webhooks, missingSecrets, evidence }: Readiness): readonly Check[] {
  const paid = workflows.filter(({ isPaid }) => isPaid);
  return [
    box(
      'keys',
      missingSecrets.length === 0,
      'every key that the config names is set',
      `not set: ${missingSecrets.join(', ')}`,
    ),
    box(
      'alerts',
      webhooks > 0,
      `${webhooks} webhook${webhooks === 1 ? '' : 's'} told of alerts`,
      'nobody is told: write alerts.webhooks (docs/alerts.md)',
    ),
    ...paid.flatMap((workflow) => workflowBoxes(workflow)),
    box(
      'candidates',
      evidence.candidates.length >= LEAST_CANDIDATES,
      `compared: ${evidence.candidates.join(', ')}`,
      `${evidence.candidates.length} of ${LEAST_CANDIDATES} models tried: compare three, and write their names under candidates: in ${evidence.file}`,
    ),
    box(
      'JSON validity',
      evidence.jsonValidity !== undefined,
      `measured: ${((evidence.jsonValidity ?? 0) * 100).toFixed(1)} %`,
      `not measured: run 100 documents, take 1 minus the share of invalid_json and invalid_shape in the manifest's rejections, write jsonValidity: in ${evidence.file}`,
    ),
    rollbackBox(evidence),
  ];
}

function workflowBoxes({ name, tiers, budgets, golden }: WorkflowReadiness): readonly Check[] {
  const at = (what: string) => `${name}: ${what}`;
  const moving = tiers.filter(({ isPinned }) => !isPinned).map(({ model }) => model);
  const alone = tiers.filter(({ fallbacks }) => fallbacks.length === 0).map(({ model }) => model);
  const unlimited = tiers.filter(({ limits }) => limits.length === 0).map(({ model }) => model);
  const unpriced = tiers.filter(({ isPriced }) => !isPriced).map(({ model }) => model);
  return [
    box(
      at('budget'),
      budgets.length > 0,
      budgets.join(', '),
      `no limit holds its money: write workflows.${name}.budget: { batch: USD, day: USD }`,
    ),
    box(
      at('prices'),
      unpriced.length === 0,
      'every model has one',
      `none for ${unpriced.join(', ')}: write models.NAME.price`,
    ),
    box(
      at('ids'),
      moving.length === 0,
      'every model stands still',
      `${moving.join(', ')} may be another model tomorrow: name dated versions`,
    ),
    box(
      at('fallback'),
      alone.length === 0,
      tiers.map(({ model, fallbacks }) => `${model} → ${fallbacks.join(', ')}`).join('; '),
      `nothing stands in for ${alone.join(', ')}: write fallback: [MODEL] at the tier, or know that it waits`,
    ),
    box(
      at('limits'),
      unlimited.length === 0,
      tiers.map(({ model, limits }) => `${model}: ${limits.join(', ')}`).join('; '),
      `none stated for ${unlimited.join(', ')}: write the account's at providers.NAME.limits; until a reply names them, calls go out unpaced`,
    ),
    box(
      at('golden set'),
      (golden?.lines ?? 0) >= LEAST_GOLDEN,
      `${golden?.file} has ${golden?.lines} lines`,
      `${golden === undefined ? 'none' : `${golden.file} has ${golden.lines} lines`}: write ${LEAST_GOLDEN} documents with the right answer to golden/${name}.jsonl beside the config`,
    ),
    ...CASES.map((kind) =>
      box(
        at(`${kind} case`),
        golden?.cases.has(kind) === true,
        `in ${golden?.file}`,
        `none: add a line with "metadata": {"case": "${kind}"} to golden/${name}.jsonl`,
      ),
    ),
  ];
}

function rollbackBox({ file, rollback }: WrittenEvidence): Check {
  const todo =
    rollback === undefined
      ? `not written: say in a file how to go back (which config, who decides), and name it as rollback: in ${file}`
      : `${file} names ${rollback.file}, which is not there`;
  return box('rollback', rollback?.exists === true, `${rollback?.file}`, todo);
}

function box(name: string, isDone: boolean, evidence: string, todo: string): Check {
  return isDone ? { name, state: 'ok', detail: evidence } : { name, state: 'failed', detail: todo };
}

/** What to look at each quarter, with the command that shows it. */
export const QUARTERLY_REVIEW: readonly string[] = [
  "prices: nightmill prices MODEL, beside the vendors' pages; renew with nightmill prices update FILE",
  'withdrawals and assumed figures: nightmill doctor',
  'alerts: did volume, forecast and drift of the quarter have a reason? The log has them as budget:alert',
  "bills: nightmill reconcile, the books beside each provider's bill",
  'candidates: the models that appeared since; compare them on the golden sets',
  'golden sets: add the documents that went wrong, keep 20 and more of each workflow',
  'rollback: follow the written steps once, on a copy',
  'keys: who has them, when they were changed last',
];
