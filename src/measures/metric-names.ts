interface MetricKind {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** A fixed set of values, or names of the config; never ids of batches or documents. */
  readonly labels: readonly string[];
}

/** Of one process: it counts what it did itself. Sums over processes are the cluster's. */
const PROCESS_METRICS = {
  nightmill_calls_total: {
    type: 'counter',
    help: 'Model calls that ended, by outcome: reply, failed (billed, of no use), refused (not billed), uncertain.',
    labels: ['workflow', 'model', 'tier', 'outcome'],
  },
  nightmill_tokens_total: {
    type: 'counter',
    help: 'Tokens of billed calls, by kind: input (not cached), cached_input, output (reasoning included).',
    labels: ['workflow', 'model', 'tier', 'kind'],
  },
  nightmill_spent_dollars_total: {
    type: 'counter',
    help: 'US dollars booked for billed calls.',
    labels: ['workflow', 'model', 'tier'],
  },
  nightmill_uncertain_dollars_total: {
    type: 'counter',
    help: 'US dollars booked at the hold, because nobody can know whether the provider has billed the call.',
    labels: ['workflow', 'model', 'tier'],
  },
  nightmill_tenant_spent_dollars_total: {
    type: 'counter',
    help: 'US dollars booked, by tenant; tenants beyond the largest 20 of this process are counted as other.',
    labels: ['tenant'],
  },
  nightmill_tenant_documents_total: {
    type: 'counter',
    help: 'Documents that ended, by tenant; tenants beyond the largest 20 of this process are counted as other.',
    labels: ['tenant'],
  },
  nightmill_documents_total: {
    type: 'counter',
    help: 'Documents of committed slices, by how they ended.',
    labels: ['workflow', 'outcome'],
  },
  nightmill_slices_total: {
    type: 'counter',
    help: 'Slices that left this process: committed, or handed back because of paused, budget, provider, store, shutdown, or fenced.',
    labels: ['workflow', 'outcome'],
  },
  nightmill_call_duration_seconds: {
    type: 'histogram',
    help: 'Time of calls that were answered, from request to reply.',
    labels: ['model', 'provider'],
  },
  nightmill_call_first_byte_seconds: {
    type: 'histogram',
    help: "Time of the same calls until the first byte of the response's headers.",
    labels: ['model', 'provider'],
  },
  nightmill_quota_requests_total: {
    type: 'counter',
    help: 'Calls that a pool let in.',
    labels: ['pool'],
  },
  nightmill_quota_tokens_total: {
    type: 'counter',
    help: 'Tokens that calls were let in with: expected input and the output cap.',
    labels: ['pool'],
  },
  nightmill_quota_wait_seconds_total: {
    type: 'counter',
    help: 'Time that calls waited until they were let in, for a place, for money or for quota.',
    labels: ['pool'],
  },
  nightmill_events_total: {
    type: 'counter',
    help: 'Events of the log, whatever its level; docs/operation.md says what each one means.',
    labels: ['event'],
  },
  nightmill_lease_losses_total: {
    type: 'counter',
    help: 'Times that the lease of this process ended before it was renewed.',
    labels: [],
  },
  nightmill_slices_in_hand: { type: 'gauge', help: 'Slices that this process works on.', labels: [] },
  nightmill_build_info: { type: 'gauge', help: 'Always 1; the version of the program.', labels: ['version'] },
  process_cpu_seconds_total: { type: 'counter', help: 'CPU time of this process.', labels: [] },
  process_resident_memory_bytes: { type: 'gauge', help: 'Memory of this process.', labels: [] },
} as const satisfies Readonly<Record<string, MetricKind>>;

/** Of the whole cluster, read when it is asked for. Only a server has them: two servers tell the same. */
const CLUSTER_METRICS = {
  nightmill_workers: { type: 'gauge', help: 'Live workers.', labels: [] },
  nightmill_workers_wanted: {
    type: 'gauge',
    help: 'Workers that would be of use now, bounded by quota and pauses.',
    labels: [],
  },
  nightmill_queue_slices: { type: 'gauge', help: 'Slices that wait or are worked on.', labels: ['workflow'] },
  nightmill_queue_oldest_seconds: {
    type: 'gauge',
    help: 'Age of the oldest batch that has slices left; 0 where there is none.',
    labels: ['workflow'],
  },
  nightmill_open_batches: { type: 'gauge', help: 'Batches that have not ended.', labels: ['workflow'] },
  nightmill_paused: {
    type: 'gauge',
    help: '1 while the breaker of a workflow is open for this cause: budget, provider, operator.',
    labels: ['workflow', 'cause'],
  },
  nightmill_budget_spent_dollars: {
    type: 'gauge',
    help: 'US dollars spent in the present day or month, uncertain ones included.',
    labels: ['scope'],
  },
  nightmill_budget_held_dollars: {
    type: 'gauge',
    help: 'US dollars held for calls in flight.',
    labels: ['scope'],
  },
  nightmill_budget_uncertain_dollars: {
    type: 'gauge',
    help: 'US dollars booked without a reply in the present day or month, by any worker, dead ones included.',
    labels: ['scope'],
  },
  nightmill_budget_limit_dollars: {
    type: 'gauge',
    help: 'The limit in force; absent where there is none.',
    labels: ['scope'],
  },
  nightmill_quota_limit: {
    type: 'gauge',
    help: 'A limit of a pool, of the config or found out; absent where none is known.',
    labels: ['pool', 'dimension'],
  },
} as const satisfies Readonly<Record<string, MetricKind>>;

export const METRICS = { ...PROCESS_METRICS, ...CLUSTER_METRICS };

export type MetricName = keyof typeof METRICS;

/** Bounds of the histograms of calls, seconds. */
export const DURATION_BUCKETS: readonly number[] = [
  0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8,
];
