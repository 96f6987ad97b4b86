import { DURATION_BUCKETS, METRICS, type MetricName } from './metric-names.ts';

export interface Sample {
  readonly name: MetricName;
  /** Values of the metric's labels, in their order. */
  readonly labels: readonly string[];
  readonly value: number;
}

/** Counts of a histogram by `DURATION_BUCKETS`, those above the last bound at the end. */
export interface HistogramSample {
  readonly name: MetricName;
  readonly labels: readonly string[];
  readonly counts: readonly number[];
  readonly sum: number;
}

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** In Prometheus' text format, each metric with its help text, those without a sample left out. */
export function formatMetrics(samples: Iterable<Sample | HistogramSample>): string {
  const lines = new Map<MetricName, string[]>();
  for (const sample of samples) {
    const own = lines.get(sample.name) ?? [];
    lines.set(sample.name, own);
    if ('value' in sample) own.push(`${sample.name}${labelText(sample)} ${sample.value}`);
    else own.push(...histogramLines(sample));
  }
  return [...lines]
    .map(
      ([name, own]) =>
        `# HELP ${name} ${METRICS[name].help}\n# TYPE ${name} ${METRICS[name].type}\n${own.join('\n')}\n`,
    )
    .join('');
}

function histogramLines(sample: HistogramSample): string[] {
  let count = 0;
  const buckets = [...DURATION_BUCKETS.map(String), '+Inf'].map((bound, at) => {
    count += sample.counts[at] ?? 0;
    return `${sample.name}_bucket${labelText(sample, `le="${bound}"`)} ${count}`;
  });
  return [
    ...buckets,
    `${sample.name}_sum${labelText(sample)} ${sample.sum}`,
    `${sample.name}_count${labelText(sample)} ${count}`,
  ];
}

function labelText({ name, labels }: Pick<Sample, 'name' | 'labels'>, more?: string): string {
  const parts: string[] = METRICS[name].labels.map((label, at) => `${label}="${escapeLabel(labels[at] ?? '')}"`);
  if (more !== undefined) parts.push(more);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
