import { formatUsd, type NanoUsd } from '../money/money.ts';
import { DAYS_PER_MONTH } from '../money/price-table.ts';

/** What a workflow must reach, as the config has it; what is absent does not matter. */
export interface Requirements {
  readonly p95LatencySeconds?: number;
  readonly usdPerThousandDocuments?: NanoUsd;
  readonly minQuality?: { readonly metric: string; readonly value: number };
  readonly contextTokens?: number;
  readonly data?: DataPromise;
  /** Least share of documents with a valid answer. */
  readonly format?: number;
  readonly documentsPerNight?: number;
  /** For the documents of a night. */
  readonly hours?: number;
  readonly monthlyUsd?: NanoUsd;
}

/** Where documents go: your own network, a provider that does not train on them, anywhere. */
export type DataPromise = 'local' | 'noTraining' | 'any';

/** A measured figure, and how bad it may really be: that is what requirements are held against. */
export interface Measured {
  readonly value: number;
  /** Undefined: too little was measured to say. */
  readonly bound: number | undefined;
}

/** What is known of a way of answering; what is absent is not known. */
export interface CandidateFacts {
  /** Of the metric that is required. */
  readonly quality?: Measured;
  readonly format?: Measured;
  readonly p95Seconds?: Measured;
  /** Nano-dollars, with decimals. */
  readonly costPerDocument?: Measured;
  /** The smallest window. */
  readonly contextTokens?: number;
  readonly data?: DataPromise;
  /** That the documents of a night take at the quota and the measured latency. */
  readonly hours?: number;
  /** Where the latency is not known: at the quota alone. */
  readonly hoursAtLeast?: number;
}

export interface Verdict {
  readonly requirement: keyof Requirements;
  readonly state: 'met' | 'unmet' | 'unknown';
  /** For people: what is wanted, and what was found. */
  readonly want: string;
  readonly found: string;
  /** For people, where it is not met: by how much. */
  readonly by?: string;
}

/** Holds a candidate to each requirement, in the order in which they are documented. */
export function judge(requirements: Requirements, facts: CandidateFacts): readonly Verdict[] {
  const { minQuality, usdPerThousandDocuments: perThousand, documentsPerNight, monthlyUsd } = requirements;
  const usd = (nano: number) => formatUsd(Math.round(nano));
  const nights = (documentsPerNight ?? 0) * DAYS_PER_MONTH;
  const found: readonly (Verdict | undefined)[] = [
    minQuality &&
      atLeast(
        'minQuality',
        minQuality.value,
        facts.quality,
        (n) => n.toFixed(4),
        (said) => `${minQuality.metric} ${said}`,
      ),
    atLeast(
      'format',
      requirements.format,
      facts.format,
      (n) => `${(n * 100).toFixed(1)} %`,
      (said) => `${said} valid`,
    ),
    atMost('p95LatencySeconds', requirements.p95LatencySeconds, facts.p95Seconds, (n) => `${n.toFixed(1)} s`),
    atMost('usdPerThousandDocuments', perThousand, scale(facts.costPerDocument, 1_000), usd),
    atMost('monthlyUsd', monthlyUsd, scale(facts.costPerDocument, nights), usd),
    hoursVerdict(requirements.hours, facts),
    atLeast('contextTokens', requirements.contextTokens, exact(facts.contextTokens), (n) => n.toLocaleString('en')),
    dataVerdict(requirements.data, facts.data),
  ];
  return found.filter((verdict) => verdict !== undefined);
}

function hoursVerdict(limit: number | undefined, { hours, hoursAtLeast }: CandidateFacts): Verdict | undefined {
  const say = (n: number) => `${n.toFixed(n < 1 ? 2 : 1)} h`;
  const verdict = atMost('hours', limit, exact(hours), say);
  if (limit === undefined || hours !== undefined || hoursAtLeast === undefined || hoursAtLeast <= limit) return verdict;
  const found = `at least ${say(hoursAtLeast)}, by the quota alone`;
  return { requirement: 'hours', state: 'unmet', want: say(limit), found, by: say(hoursAtLeast - limit) };
}

type Say = (value: number) => string;

/** @param ofWhat what a figure is of, where it does not say so itself */
function atLeast(
  name: keyof Requirements,
  want: number | undefined,
  found: Measured | undefined,
  say: Say,
  ofWhat = (said: string) => said,
) {
  return compare(name, want, found, { say, ofWhat }, (bound, limit) => bound >= limit);
}

function atMost(name: keyof Requirements, want: number | undefined, found: Measured | undefined, say: Say) {
  return compare(name, want, found, { say, ofWhat: (said) => said }, (bound, limit) => bound <= limit);
}

function compare(
  requirement: keyof Requirements,
  limit: number | undefined,
  found: Measured | undefined,
  { say, ofWhat }: { readonly say: Say; readonly ofWhat: (said: string) => string },
  isMet: (bound: number, limit: number) => boolean,
): Verdict | undefined {
  if (limit === undefined) return undefined;
  const want = ofWhat(say(limit));
  if (found === undefined) return { requirement, state: 'unknown', want, found: 'not known' };
  const { value, bound } = found;
  if (bound === undefined) {
    return { requirement, state: 'unknown', want, found: `${ofWhat(say(value))}, on too few documents to be sure` };
  }
  const seen = bound === value ? ofWhat(say(value)) : `${ofWhat(say(value))}, surely ${say(bound)}`;
  if (isMet(bound, limit)) return { requirement, state: 'met', want, found: seen };
  return { requirement, state: 'unmet', want, found: seen, by: say(Math.abs(bound - limit)) };
}

function exact(value: number | undefined): Measured | undefined {
  return value === undefined ? undefined : { value, bound: value };
}

function scale(measured: Measured | undefined, factor: number): Measured | undefined {
  if (measured === undefined) return undefined;
  const { value, bound } = measured;
  return { value: value * factor, bound: bound === undefined ? undefined : bound * factor };
}

const PROMISES: readonly DataPromise[] = ['any', 'noTraining', 'local'];

function dataVerdict(want: DataPromise | undefined, found: DataPromise | undefined): Verdict | undefined {
  if (want === undefined) return undefined;
  if (found === undefined) return { requirement: 'data', state: 'unknown', want, found: 'not known' };
  const isMet = PROMISES.indexOf(found) >= PROMISES.indexOf(want);
  return { requirement: 'data', state: isMet ? 'met' : 'unmet', want, found };
}

/** What a candidate, or a run, meets. */
export interface Judged {
  readonly name: string;
  readonly verdicts: readonly Verdict[];
}

export interface Candidate {
  readonly name: string;
  readonly facts: CandidateFacts;
}

export interface Choice {
  /** Absent: none meets everything. */
  readonly chosen?: string;
  /** In the order given. */
  readonly candidates: readonly Judged[];
  /** Requirements that no candidate is known to meet. */
  readonly excludesAll: readonly (keyof Requirements)[];
}

/** The cheapest candidate that is known to meet every requirement; of equally cheap ones the better one. */
export function chooseCandidate(requirements: Requirements, candidates: readonly Candidate[]): Choice {
  const judged = candidates.map(({ name, facts }) => ({ name, facts, verdicts: judge(requirements, facts) }));
  const able = judged.filter(({ verdicts }) => verdicts.every(({ state }) => state === 'met'));
  const cost = ({ facts }: Candidate) => facts.costPerDocument?.value ?? Number.POSITIVE_INFINITY;
  const quality = ({ facts }: Candidate) => facts.quality?.value ?? 0;
  const [best] = able.toSorted((a, b) => cost(a) - cost(b) || quality(b) - quality(a));
  const asked = judged[0]?.verdicts.map(({ requirement }) => requirement) ?? [];
  const isMetBySome = (name: keyof Requirements) =>
    judged.some(({ verdicts }) => verdicts.some(({ requirement, state }) => requirement === name && state === 'met'));
  return {
    ...(best === undefined ? {} : { chosen: best.name }),
    candidates: judged.map(({ name, verdicts }) => ({ name, verdicts })),
    excludesAll: asked.filter((name) => !isMetBySome(name)),
  };
}
