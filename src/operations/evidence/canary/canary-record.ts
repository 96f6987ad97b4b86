import { createHash } from 'node:crypto';

/** One look at a provider: what its model said to fixed questions. */
export interface CanaryProbe {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly model: string;
  /** Why it has no answers. Absent: it has. */
  readonly failure?: string;
  /** Of the slowest question, milliseconds. */
  readonly latencyMs: number;
  /** Replies that had the form that was asked for, and of these the right label; 0 to 1 each. */
  readonly format: number;
  readonly label: number;
  /** Digest of the words of all replies: the same model at the same settings mostly says the same. */
  readonly answers?: string;
  /** Id and build of the model, in the provider's words, where it says so. */
  readonly served?: string;
}

/** The latest ones, newest first. */
export interface CanaryRecord {
  readonly probes: readonly CanaryProbe[];
}

/** What people are told of a probe; undefined: nothing. */
export type CanaryNews =
  | { readonly kind: 'failing'; readonly reason: string }
  | { readonly kind: 'changed'; readonly from: string; readonly to: string };

/** Of each provider. */
const KEPT = 100;
/** The answers of so many probes in a row show that a model repeats itself. */
const STEADY = 3;

/**
 * A probe after earlier ones. One failure may be chance, so people are told of the second in a row, once. A model has changed where the provider names
 * another one, or where answers that were the same three times in a row are others two times in a row.
 */
export function afterProbe(
  before: CanaryRecord | undefined,
  probe: CanaryProbe,
): { readonly record: CanaryRecord; readonly news: CanaryNews | undefined } {
  const earlier = before?.probes ?? [];
  return { record: { probes: [probe, ...earlier].slice(0, KEPT) }, news: newsOf(probe, earlier) };
}

function newsOf(probe: CanaryProbe, earlier: readonly CanaryProbe[]): CanaryNews | undefined {
  const trouble = troubleOf(probe);
  if (trouble !== undefined) {
    const [last, one] = earlier;
    const isSecond = last !== undefined && troubleOf(last) !== undefined;
    const wasTold = one !== undefined && troubleOf(one) !== undefined;
    return isSecond && !wasTold ? { kind: 'failing', reason: trouble } : undefined;
  }
  const known = earlier.filter((each) => each.model === probe.model && troubleOf(each) === undefined);
  const served = known.find((each) => each.served !== undefined)?.served;
  if (probe.served !== undefined && served !== undefined && served !== probe.served) {
    return { kind: 'changed', from: served, to: probe.served };
  }
  const [last, ...others] = known;
  const steady = others.slice(0, STEADY);
  const [first] = steady;
  const isNew = last?.answers === probe.answers && first?.answers !== probe.answers;
  const wasSteady = steady.length === STEADY && steady.every(({ answers }) => answers === first?.answers);
  if (!isNew || !wasSteady || first?.answers === undefined || probe.answers === undefined) return undefined;
  return { kind: 'changed', from: `answers ${first.answers}`, to: `answers ${probe.answers}` };
}

/** Why a probe is bad; undefined: it is good. */
export function troubleOf({ failure, format, label }: CanaryProbe): string | undefined {
  if (failure !== undefined) return failure;
  if (format < 1) return `${Math.round((1 - format) * 100)} % of its replies have not the form that was asked for`;
  if (label < 1) return `${Math.round((1 - label) * 100)} % of its answers to plain questions are wrong`;
  return undefined;
}

export function digestOf(replies: readonly string[]): string {
  const words = replies.map((text) => text.trim().replace(/\s+/g, ' '));
  return createHash('sha256').update(JSON.stringify(words)).digest('hex').slice(0, 12);
}
