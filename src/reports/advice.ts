import { calibrateObserved, errorBound, type ObservedAnswer } from '../calibration/calibrate-observed.ts';
import type { ObservedRows } from '../calibration/observed-rows.ts';
import { formatUsd, type NanoUsd, usdJson, usdToNano } from '../money/money.ts';
import { leastConfidence, type Tier } from '../workflows/workflow.ts';
import { percent } from './format-figures.ts';

/** What the data say of a workflow. Nothing is changed by it. */
export interface Advice {
  readonly workflow: string;
  /**
   * `lower`, `raise`: the first tier's threshold; `label`: one that does not need the last tier; `cache`: a discount that was
   * missed; `missing`: what would have to be known first.
   */
  readonly kind: 'lower' | 'raise' | 'label' | 'cache' | 'missing';
  readonly message: string;
  /** In the period, had it been so; negative: it costs more. Not to be added up: two may save the same call. */
  readonly saves?: NanoUsd;
  /** What would try it, in this order. */
  readonly commands: readonly string[];
}

/** A workflow of a first and a last tier, and what its rows say of them. */
export interface CascadeEvidence {
  readonly workflow: string;
  readonly cascade: readonly Tier[];
  /** Of its audit, 0 to 1; 0: nothing of what the first tier answers alone is known. */
  readonly auditShare: number;
  /** `isOwn`: of its calibration; else what `calibrate` promises by default. */
  readonly promise: { readonly target: number; readonly delta: number; readonly isOwn: boolean };
  /** Of the newest batches with these settings. */
  readonly rows: ObservedRows;
  /** Whose rows those are, the newest first. */
  readonly batches: readonly string[];
  /** Of the whole period. */
  readonly documents: number;
}

/** What `calibrate` promises where nobody says another promise. */
export const USUAL_PROMISE = { target: 0.9, delta: 0.1, isOwn: false } as const;

const SEED = 1;
/** A share of the documents that is no news. */
const SAME_SHARE = 0.01;
/** Fewer documents of a label are no reason to change anything. */
const MIN_LABEL_DOCUMENTS = 50;
const MAX_LABELS_TOLD = 5;

/** What the rows of a cascade say of its first tier's threshold and of its labels. */
export function cascadeAdvice(evidence: CascadeEvidence): readonly Advice[] {
  const { workflow, cascade, rows } = evidence;
  const missing = (message: string, commands: readonly string[] = []): readonly Advice[] => [
    { workflow, kind: 'missing', message, commands },
  ];
  if (cascade.length < 2) return [];
  if (cascade.length > 2) {
    return missing(
      `rows of ${cascade.length} tiers do not say what the later ones would have answered: its thresholds are set from recorded answers`,
      [`nightmill calibrate --records FILE --target ${evidence.promise.target} --metric accuracy`],
    );
  }
  if (rows.answers.length === 0) {
    return missing(
      `none of ${rows.ignored.toLocaleString('en')} rows says what the first tier has answered: they do with rows: { attempts: true }, ` +
        'until retention removes them',
    );
  }
  return [...thresholdAdvice(evidence), ...labelAdvice(evidence)];
}

function thresholdAdvice(evidence: CascadeEvidence): readonly Advice[] {
  const { workflow, rows, auditShare, promise, documents } = evidence;
  const { answers, first, last } = rows;
  const found = calibrateObserved(answers, { ...promise, seed: SEED, auditShare, cheap: first, strong: last });
  const present = answers.filter(isAnswered).length / answers.length;
  const share = found.fallback === null ? (found.tiers[0]?.share ?? 0) : 0;
  const saves = nano((share - present) * last.cost * documents);
  const commands = trial(evidence);
  const agreement = presentAgreement(evidence);
  if (found.fallback === null && share > present + SAME_SHARE) {
    const message =
      `${first.model} may answer ${percent(share)} of the documents instead of ${percent(present)} ` +
      `(${thresholdTexts(evidence.cascade[0], found.tiers[0]?.thresholds ?? {})}): ${promiseText(evidence)}`;
    return [{ workflow, kind: 'lower', message, saves, commands }];
  }
  if (agreement !== undefined && agreement < promise.target) {
    const instead =
      found.fallback === null
        ? `${percent(share)} can be certified`
        : `none can be certified: ${found.fallback.reason}`;
    const message =
      `${first.model} answers ${percent(present)} of the documents, and only about ${percent(agreement)} of all answers ` +
      `agree with ${last.model} instead of ${percent(promise.target)}: ${instead}`;
    return [{ workflow, kind: 'raise', message, saves, commands }];
  }
  if (found.fallback !== null) {
    const message = `no threshold can be certified: ${found.fallback.reason}`;
    return [{ workflow, kind: 'missing', message, commands: [] }];
  }
  if (share >= present - SAME_SHARE) return [];
  const message =
    `the rows certify ${percent(share)} for ${first.model}, which answers ${percent(present)}; no sign that the promise is broken, ` +
    'and more audited documents would tell';
  return [{ workflow, kind: 'missing', message, commands: [] }];
}

/** Of labels whose documents are passed on although the first tier is right about them often enough. */
function labelAdvice(evidence: CascadeEvidence): readonly Advice[] {
  const { workflow, rows, promise, auditShare, documents } = evidence;
  const { answers, last, first } = rows;
  const labels = Map.groupBy(answers, ({ label }) => label);
  // As many labels are looked at, so much less may each of them be wrong by chance.
  const delta = promise.delta / labels.size;
  return [...labels]
    .flatMap(([label, own]): (Advice & { readonly saves: NanoUsd })[] => {
      const passedOn = own.filter((answer) => !isAnswered(answer)).length;
      if (own.length < MIN_LABEL_DOCUMENTS || passedOn / answers.length < SAME_SHARE) return [];
      const bound = errorBound(own, own.length, { delta, auditShare });
      if (bound > 1 - promise.target) return [];
      const saves = nano((passedOn / answers.length) * last.cost * documents);
      const message =
        `label ${label} does not need ${last.model}: at least ${percent(1 - bound)} of what ${first.model} calls so is right, ` +
        `and ${percent(passedOn / own.length)} of it is passed on`;
      return [{ workflow, kind: 'label', message, saves, commands: trial(evidence) }];
    })
    .sort((a, b) => b.saves - a.saves)
    .slice(0, MAX_LABELS_TOLD);
}

/** About which share of all answers agrees with the last tier now; undefined: nothing was audited. */
function presentAgreement({ rows: { answers }, auditShare }: CascadeEvidence): number | undefined {
  if (auditShare === 0) return undefined;
  const wrong = answers.filter(({ seen, isError }) => seen === 'audited' && isError === true).length;
  return Math.max(0, 1 - wrong / auditShare / answers.length);
}

function isAnswered({ seen }: ObservedAnswer): boolean {
  return seen !== 'labelled';
}

function thresholdTexts(tier: Tier | undefined, thresholds: Readonly<Record<string, number>>): string {
  const texts = Object.entries(thresholds).map(([label, threshold]) => {
    const now = tier === undefined ? undefined : leastConfidence(tier, label);
    const was = now === undefined ? 'any' : now > 1 ? 'never' : now.toFixed(2);
    return `${label} from ${threshold.toFixed(2)}, now ${was}`;
  });
  const more = texts.length - MAX_LABELS_TOLD;
  return [...texts.slice(0, MAX_LABELS_TOLD), ...(more > 0 ? [`${more} more`] : [])].join('; ');
}

function promiseText({ promise: { target, delta, isOwn }, rows: { last } }: CascadeEvidence): string {
  const whose = isOwn ? 'as its calibration promises' : 'the usual promise';
  return `at least ${percent(target)} of the answers still agree with ${last.model}, wrong in at most ${percent(delta)} of such calibrations (${whose})`;
}

/** It changes nothing before a tier says `acceptAt: calibrated`. */
function trial({ workflow, batches, promise: { target, delta } }: CascadeEvidence): readonly string[] {
  const rows = batches.map((batch) => `out/${batch}/results.jsonl`).join(' ');
  return [
    ...batches.map((batch) => `nightmill results ${batch} -o out/${batch}`),
    `nightmill calibrate -w ${workflow} --rows ${rows} --target ${target} --delta ${delta}`,
  ];
}

function nano(usd: number): NanoUsd {
  return Math.sign(usd) * usdToNano(Math.abs(usd).toFixed(9));
}

/** For people, one line and its commands. */
export function adviceText({ message, saves }: Advice): string {
  if (saves === undefined || saves === 0) return message;
  return saves > 0
    ? `${message}; saves about ${formatUsd(saves)}`
    : `${message}; costs about ${formatUsd(-saves)} more`;
}

export function adviceJson({ workflow, kind, message, saves, commands }: Advice): object {
  return { workflow, kind, message, savesUsd: saves === undefined ? null : usdJson(saves), commands };
}
