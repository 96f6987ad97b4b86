import { NANO_PER_USD } from '../money/money.ts';
import type { EventName } from '../runtime/events.ts';
import type { HistogramSample, Sample } from './exposition.ts';
import type { EndedCall, EndedSlice, Meter } from './meter.ts';
import { DURATION_BUCKETS, type MetricName } from './metric-names.ts';
import { TopNames } from './top-names.ts';

const TENANTS_SHOWN = 20;
const TENANTS_KEPT = 10_000;

interface CallSums {
  readonly labels: readonly [workflow: string, model: string, tier: string];
  readonly outcomes: Record<EndedCall['outcome'], number>;
  input: number;
  cachedInput: number;
  output: number;
  spent: number;
  uncertain: number;
}

interface Durations {
  readonly labels: readonly [model: string, provider: string];
  readonly counts: number[];
  seconds: number;
}

/**
 * Counts what this process does. A call costs one look in a table and a few additions; labels and text are made when the
 * figures are read.
 */
export class ProcessMeter implements Meter {
  readonly #calls = new Map<string, CallSums>();
  readonly #durations = new Map<string, Durations>();
  readonly #firstBytes = new Map<string, Durations>();
  readonly #pools = new Map<string, { requests: number; tokens: number; waitMs: number }>();
  readonly #documents = new Map<string, Map<string, number>>();
  readonly #slices = new Map<string, Map<string, number>>();
  readonly #events = new Map<string, number>();
  readonly #tenants = new TopNames(TENANTS_SHOWN, TENANTS_KEPT);
  readonly #tenantSpent = new Map<string, number>();
  readonly #tenantDocuments = new Map<string, number>();

  callEnded(call: EndedCall): void {
    const key = `${call.workflow}\0${call.model}\0${call.tier}`;
    const sums = this.#calls.get(key) ?? this.#newCalls(key, call);
    sums.outcomes[call.outcome] += 1;
    if (call.outcome === 'uncertain') sums.uncertain += call.cost;
    else {
      sums.input += call.usage.inputTokens - call.usage.cachedInputTokens;
      sums.cachedInput += call.usage.cachedInputTokens;
      sums.output += call.usage.outputTokens;
      sums.spent += call.cost;
    }
    if (call.tenant !== undefined) addTo(this.#tenantSpent, this.#tenants.labelOf(call.tenant, call.cost), call.cost);
    if (call.outcome !== 'reply') return;
    addDuration(this.#durations, call, call.durationMs);
    if (call.firstByteMs !== undefined) addDuration(this.#firstBytes, call, call.firstByteMs);
  }

  callAdmitted(pool: string, waitMs: number, tokens: number): void {
    let sums = this.#pools.get(pool);
    if (sums === undefined) {
      sums = { requests: 0, tokens: 0, waitMs: 0 };
      this.#pools.set(pool, sums);
    }
    sums.requests += 1;
    sums.tokens += tokens;
    sums.waitMs += waitMs;
  }

  sliceEnded({ workflow, tenant, outcome, documents }: EndedSlice): void {
    addTo(within(this.#slices, workflow), outcome, 1);
    if (documents === undefined) return;
    const ends = within(this.#documents, workflow);
    let total = 0;
    for (const [end, count] of Object.entries(documents)) {
      if (count > 0) addTo(ends, end, count);
      total += count;
    }
    if (tenant !== undefined) addTo(this.#tenantDocuments, this.#tenants.labelOf(tenant, 0), total);
  }

  logged(event: EventName): void {
    addTo(this.#events, event, 1);
  }

  /** All figures as of now. */
  *samples(): Generator<Sample | HistogramSample> {
    for (const tenant of this.#tenants.choose()) {
      this.#tenantSpent.delete(tenant);
      this.#tenantDocuments.delete(tenant);
    }
    for (const sums of this.#calls.values()) yield* callSamples(sums);
    yield* durationSamples('nightmill_call_duration_seconds', this.#durations);
    yield* durationSamples('nightmill_call_first_byte_seconds', this.#firstBytes);
    for (const [pool, { requests, tokens, waitMs }] of this.#pools) {
      yield { name: 'nightmill_quota_requests_total', labels: [pool], value: requests };
      yield { name: 'nightmill_quota_tokens_total', labels: [pool], value: tokens };
      yield { name: 'nightmill_quota_wait_seconds_total', labels: [pool], value: waitMs / 1_000 };
    }
    for (const [workflow, ends] of this.#documents) {
      for (const [end, value] of ends) yield { name: 'nightmill_documents_total', labels: [workflow, end], value };
    }
    for (const [workflow, ends] of this.#slices) {
      for (const [end, value] of ends) yield { name: 'nightmill_slices_total', labels: [workflow, end], value };
    }
    for (const [event, value] of this.#events) yield { name: 'nightmill_events_total', labels: [event], value };
    for (const [tenant, spent] of this.#tenantSpent) {
      yield { name: 'nightmill_tenant_spent_dollars_total', labels: [tenant], value: spent / NANO_PER_USD };
    }
    for (const [tenant, value] of this.#tenantDocuments) {
      yield { name: 'nightmill_tenant_documents_total', labels: [tenant], value };
    }
  }

  #newCalls(key: string, { workflow, model, tier }: EndedCall): CallSums {
    const sums: CallSums = {
      labels: [workflow, model, String(tier)],
      outcomes: { reply: 0, failed: 0, refused: 0, uncertain: 0 },
      input: 0,
      cachedInput: 0,
      output: 0,
      spent: 0,
      uncertain: 0,
    };
    this.#calls.set(key, sums);
    return sums;
  }
}

function addDuration(to: Map<string, Durations>, { model, provider }: EndedCall, milliseconds: number): void {
  let own = to.get(model);
  if (own === undefined) {
    own = { labels: [model, provider], counts: new Array<number>(DURATION_BUCKETS.length + 1).fill(0), seconds: 0 };
    to.set(model, own);
  }
  const seconds = milliseconds / 1_000;
  let at = 0;
  while (seconds > (DURATION_BUCKETS[at] ?? Number.POSITIVE_INFINITY)) at += 1;
  own.counts[at] = (own.counts[at] ?? 0) + 1;
  own.seconds += seconds;
}

function* durationSamples(name: MetricName, durations: ReadonlyMap<string, Durations>): Generator<HistogramSample> {
  for (const { labels, counts, seconds } of durations.values()) yield { name, labels, counts, sum: seconds };
}

function* callSamples({ labels, outcomes, input, cachedInput, output, spent, uncertain }: CallSums): Generator<Sample> {
  for (const [outcome, value] of Object.entries(outcomes)) {
    if (value > 0) yield { name: 'nightmill_calls_total', labels: [...labels, outcome], value };
  }
  yield { name: 'nightmill_tokens_total', labels: [...labels, 'input'], value: input };
  yield { name: 'nightmill_tokens_total', labels: [...labels, 'cached_input'], value: cachedInput };
  yield { name: 'nightmill_tokens_total', labels: [...labels, 'output'], value: output };
  yield { name: 'nightmill_spent_dollars_total', labels, value: spent / NANO_PER_USD };
  if (uncertain > 0) yield { name: 'nightmill_uncertain_dollars_total', labels, value: uncertain / NANO_PER_USD };
}

function addTo(sums: Map<string, number>, key: string, amount: number): void {
  sums.set(key, (sums.get(key) ?? 0) + amount);
}

function within(groups: Map<string, Map<string, number>>, key: string): Map<string, number> {
  let group = groups.get(key);
  if (group === undefined) {
    group = new Map();
    groups.set(key, group);
  }
  return group;
}
