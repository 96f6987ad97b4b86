/** What is known of one workflow before it goes into production; no secret and no document among it. */
export interface WorkflowReadiness {
  readonly name: string;
  readonly isPaid: boolean;
  /** Paid tiers by their model's name. */
  readonly tiers: readonly {
    readonly model: string;
    readonly provider: string;
    readonly isPinned: boolean;
    readonly fallbacks: readonly string[];
    readonly limits: readonly string[];
    readonly isPriced: boolean;
  }[];
  /** Limits that hold its money, as people write them: `batch $5.00`. */
  readonly budgets: readonly string[];
  /** Lines of its golden set; absent: there is none. */
  readonly golden?: { readonly file: string; readonly lines: number; readonly cases: ReadonlySet<string> };
  /** What its gate says, as people read it; absent: it has none. */
  readonly gate?: { readonly isOpen: boolean; readonly detail: string; readonly next: string };
}

/** One box of the list: what is so, and where it is open what to do. */
export interface ReadyBox {
  /** Absent: it is about everything. */
  readonly workflow?: string;
  readonly name: string;
  readonly isDone: boolean;
  readonly detail: string;
  readonly next?: string;
}

/** What a person has written down beside the config, because no program can see it. */
export interface WrittenEvidence {
  /** Where it is. */
  readonly file: string;
  /** Models or configs that were compared, or the evaluation runs that compare them. */
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

const MIN_GOLDEN = 20;
const MIN_CANDIDATES = 3;
const CASES = ['long', 'hostile', 'multilingual'] as const;

/** The boxes of the list before production, each with its evidence or with what to do; those of one workflow together. Pure. */
export function readyBoxes({ workflows, webhooks, missingSecrets, evidence }: Readiness): readonly ReadyBox[] {
  const [keys] = missingSecrets;
  return [
    keys === undefined
      ? done('keys', 'every key that the config names is set')
      : open(
          'keys',
          `${listed(missingSecrets)} ${missingSecrets.length === 1 ? 'is' : 'are'} not set`,
          'set the key in the environment of every worker',
        ),
    webhooks > 0
      ? done('alerts', `go to ${webhooks} webhook${webhooks === 1 ? '' : 's'}`)
      : open(
          'alerts',
          'nobody is told when a limit is near or work stops',
          'add alerts: { webhooks: […] } to the config (docs/alerts.md)',
        ),
    ...workflows.filter(({ isPaid }) => isPaid).flatMap(workflowBoxes),
    ...evidenceBoxes(evidence),
  ];
}

function workflowBoxes(readiness: WorkflowReadiness): readonly ReadyBox[] {
  const { name, budgets, gate } = readiness;
  const boxes = [
    budgets.length > 0
      ? done('budget', budgets.join(', '))
      : open('budget', 'no limit holds its money', `write workflows.${name}.budget: { batch: USD, day: USD }`),
    ...modelBoxes(readiness),
    ...goldenBoxes(readiness),
    gate === undefined
      ? open(
          'gate',
          'a changed model, prompt or price would go into production without a measurement',
          `write workflows.${name}.gate: { golden: golden/${name}.jsonl, maxDrop: 0.02, maxAgeDays: 90 }, then: nightmill eval -w ${name} --golden golden/${name}.jsonl`,
        )
      : gate.isOpen
        ? done('gate', gate.detail)
        : open('gate', gate.detail, gate.next),
  ];
  return boxes.map((box) => ({ workflow: name, ...box }));
}

function modelBoxes({ tiers }: WorkflowReadiness): readonly ReadyBox[] {
  const [moving, unpriced] = [tiers.filter(({ isPinned }) => !isPinned), tiers.filter(({ isPriced }) => !isPriced)];
  const alone = tiers.filter(({ fallbacks }) => fallbacks.length === 0);
  const unlimited = tiers.filter(({ limits }) => limits.length === 0);
  const models = (of: WorkflowReadiness['tiers']) => listed(of.map(({ model }) => model));
  return [
    unpriced.length === 0
      ? done('prices', 'known for every model')
      : open(
          'prices',
          `not known for ${models(unpriced)}`,
          `write price: { inputPerMillion: USD, outputPerMillion: USD } at ${settings('models', unpriced, 'model')}`,
        ),
    moving.length === 0
      ? done('model ids', 'each names one version')
      : open(
          'model ids',
          `${models(moving)} may be another model tomorrow`,
          `name a dated version: ${settings('models', moving, 'model', '.id')}`,
        ),
    alone.length === 0
      ? done('fallback', tiers.map(({ model, fallbacks }) => `${model} → ${fallbacks.join(', ')}`).join('; '))
      : open(
          'fallback',
          `while a provider is down, work waits: nothing stands in for ${models(alone)}`,
          'write fallback: [MODEL] at the tier, with a model of another provider',
        ),
    unlimited.length === 0
      ? done('rate limits', tiers.map(({ model, limits }) => `${model}: ${limits.join(', ')}`).join('; '))
      : open(
          'rate limits',
          `not stated for ${models(unlimited)}: calls go out unpaced until a reply names them`,
          `write your account's limits, e.g. { requestsPerMinute: 500, tokensPerMinute: 200000 }, at ${settings('providers', unlimited, 'provider', '.limits')}`,
        ),
  ];
}

function goldenBoxes({ name, golden }: WorkflowReadiness): readonly ReadyBox[] {
  const file = golden?.file ?? `golden/${name}.jsonl`;
  const missing = CASES.filter((kind) => golden?.cases.has(kind) !== true);
  const lines = golden?.lines ?? 0;
  return [
    lines >= MIN_GOLDEN
      ? done('golden set', `${file} has ${lines} documents`)
      : open(
          'golden set',
          golden === undefined ? 'there is none' : `${file} has ${lines} documents, ${MIN_GOLDEN} are needed`,
          `write ${MIN_GOLDEN} documents with the right answer to ${file} beside the config (docs/evaluation.md)`,
        ),
    missing.length === 0
      ? done('hard cases', `${listed(CASES)} in ${file}`)
      : open(
          'hard cases',
          `no ${listed(missing, 'or')} document in the golden set`,
          `add one of each to ${file}, marked "metadata": {"case": "${missing[0]}"}`,
        ),
  ];
}

function evidenceBoxes({ file, candidates, jsonValidity, rollback }: WrittenEvidence): readonly ReadyBox[] {
  return [
    candidates.length >= MIN_CANDIDATES
      ? done('candidates', `compared: ${candidates.join(', ')}`)
      : open(
          'candidates',
          `${candidates.length} of ${MIN_CANDIDATES} models were compared`,
          `evaluate ${MIN_CANDIDATES} on one golden set (nightmill choose, or eval for each), or write candidates: [A, B, C] to ${file}`,
        ),
    jsonValidity !== undefined
      ? done('JSON validity', `measured: ${(jsonValidity * 100).toFixed(1)} %`)
      : open(
          'JSON validity',
          'nobody has measured how many replies are valid JSON',
          `run 100 documents or more and write jsonValidity: to ${file}: 1 minus the share of invalid_json and invalid_shape under rejections in the manifest`,
        ),
    rollback?.exists === true
      ? done('way back', `is written in ${rollback.file}`)
      : open(
          'way back',
          rollback === undefined ? 'it is not written' : `${file} names ${rollback.file}, which is not there`,
          `write to a file which config to go back to and who decides, and name it as rollback: FILE in ${file}`,
        ),
  ];
}

function done(name: string, detail: string): ReadyBox {
  return { name, isDone: true, detail };
}

function open(name: string, detail: string, next: string): ReadyBox {
  return { name, isDone: false, detail, next };
}

/** The places of these tiers in the config, each once. */
function settings(
  root: 'models' | 'providers',
  tiers: WorkflowReadiness['tiers'],
  of: 'model' | 'provider',
  key = '',
): string {
  return listed([...new Set(tiers.map((tier) => `${root}.${tier[of]}${key}`))]);
}

function listed(names: readonly string[], last = 'and'): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} ${last} ${names.at(-1)}`;
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
