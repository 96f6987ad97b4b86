import type { MetricName } from '../../src/measures/metric-names.ts';

/** A metric in a query; the compiler knows whether there is one of that name. */
const m = (name: MetricName, labels = ''): string => (labels === '' ? name : `${name}{${labels}}`);
/** Of a counter, each second; processes come and go. */
const rate = (name: MetricName, by: string, labels = ''): string =>
  `sum by (${by}) (rate(${m(name, labels)}[$__rate_interval]))`;
/** Of the whole cluster: every server tells the same. */
const cluster = (name: MetricName, by: string, labels = ''): string => `max by (${by}) (${m(name, labels)})`;
const quantile = (share: number, name: MetricName): string =>
  `histogram_quantile(${share}, sum by (le, model) (rate(${m(name)}_bucket[$__rate_interval])))`;

interface Panel {
  readonly title: string;
  readonly unit: 'short' | 'currencyUSD' | 's' | 'percentunit' | 'reqps' | 'cps';
  readonly queries: readonly { readonly expr: string; readonly legend: string }[];
  readonly kind?: 'timeseries' | 'stat';
}

/** One row of the dashboard after the other; up to four panels fit into one. */
const ROWS: readonly { readonly title: string; readonly panels: readonly Panel[] }[] = [
  {
    title: 'Tonight',
    panels: [
      stat('Slices waiting', 'short', `sum(${cluster('nightmill_queue_slices', 'workflow')})`),
      stat('Workers', 'short', `max(${m('nightmill_workers')})`),
      stat('Workers wanted', 'short', `max(${m('nightmill_workers_wanted')})`),
      stat('Spent today', 'currencyUSD', `max(${m('nightmill_budget_spent_dollars', 'scope="global/day"')})`),
    ],
  },
  {
    title: 'Work',
    panels: [
      plot(
        'Documents per second',
        'cps',
        rate('nightmill_documents_total', 'workflow, outcome'),
        '{{workflow}} {{outcome}}',
      ),
      plot('Slices waiting', 'short', cluster('nightmill_queue_slices', 'workflow'), '{{workflow}}'),
      plot('Age of the oldest batch', 's', cluster('nightmill_queue_oldest_seconds', 'workflow'), '{{workflow}}'),
      plot('Paused', 'short', `${cluster('nightmill_paused', 'workflow, cause')} == 1`, '{{workflow}} by {{cause}}'),
    ],
  },
  {
    title: 'Money',
    panels: [
      plot(
        'Dollars an hour by model',
        'currencyUSD',
        `3600 * ${rate('nightmill_spent_dollars_total', 'model')}`,
        '{{model}}',
      ),
      plot(
        'Dollars an hour by tenant',
        'currencyUSD',
        `3600 * ${rate('nightmill_tenant_spent_dollars_total', 'tenant')}`,
        '{{tenant}}',
      ),
      plot(
        'Share of limits spent',
        'percentunit',
        `${cluster('nightmill_budget_spent_dollars', 'scope')} / ${cluster('nightmill_budget_limit_dollars', 'scope')}`,
        '{{scope}}',
      ),
      {
        title: 'Held and uncertain',
        unit: 'currencyUSD',
        queries: [
          { expr: cluster('nightmill_budget_held_dollars', 'scope', 'scope="global/day"'), legend: 'held' },
          {
            expr: cluster('nightmill_budget_uncertain_dollars', 'scope', 'scope="global/day"'),
            legend: 'uncertain today',
          },
        ],
      },
    ],
  },
  {
    title: 'Models',
    panels: [
      plot('Calls per second', 'reqps', rate('nightmill_calls_total', 'model, outcome'), '{{model}} {{outcome}}'),
      plot('Tokens per second', 'cps', rate('nightmill_tokens_total', 'model, kind'), '{{model}} {{kind}}'),
      {
        title: 'Time of a call',
        unit: 's',
        queries: [
          { expr: quantile(0.5, 'nightmill_call_duration_seconds'), legend: '{{model}} p50' },
          { expr: quantile(0.95, 'nightmill_call_duration_seconds'), legend: '{{model}} p95' },
          { expr: quantile(0.5, 'nightmill_call_first_byte_seconds'), legend: '{{model}} first byte p50' },
          { expr: quantile(0.95, 'nightmill_call_first_byte_seconds'), legend: '{{model}} first byte p95' },
        ],
      },
      plot(
        'Calls by tier',
        'reqps',
        rate('nightmill_calls_total', 'workflow, tier', 'outcome="reply"'),
        '{{workflow}} tier {{tier}}',
      ),
    ],
  },
  {
    title: 'Quota',
    panels: [
      {
        title: 'Tokens per minute and limits',
        unit: 'short',
        queries: [
          { expr: `60 * ${rate('nightmill_quota_tokens_total', 'pool')}`, legend: '{{pool}}' },
          {
            expr: cluster(
              'nightmill_quota_limit',
              'pool, dimension',
              'dimension=~"tokensPerMinute|inputTokensPerMinute"',
            ),
            legend: '{{pool}} {{dimension}}',
          },
        ],
      },
      {
        title: 'Calls per minute and limits',
        unit: 'short',
        queries: [
          { expr: `60 * ${rate('nightmill_quota_requests_total', 'pool')}`, legend: '{{pool}}' },
          {
            expr: cluster('nightmill_quota_limit', 'pool, dimension', 'dimension="requestsPerMinute"'),
            legend: '{{pool}} limit',
          },
        ],
      },
      plot(
        'Wait of a call',
        's',
        `${rate('nightmill_quota_wait_seconds_total', 'pool')} / ${rate('nightmill_quota_requests_total', 'pool')}`,
        '{{pool}}',
      ),
    ],
  },
  {
    title: 'Processes',
    panels: [
      plot(
        'Slices handed back',
        'cps',
        rate('nightmill_slices_total', 'outcome', 'outcome!="committed"'),
        '{{outcome}}',
      ),
      plot('Leases lost in an hour', 'short', `sum(increase(${m('nightmill_lease_losses_total')}[1h]))`, 'lost'),
      plot('CPU', 'percentunit', rate('process_cpu_seconds_total', 'instance'), '{{instance}}'),
      plot('Events', 'cps', rate('nightmill_events_total', 'event'), '{{event}}'),
    ],
  },
];

function plot(title: string, unit: Panel['unit'], expr: string, legend: string): Panel {
  return { title, unit, queries: [{ expr, legend }] };
}

function stat(title: string, unit: Panel['unit'], expr: string): Panel {
  return { title, unit, queries: [{ expr, legend: title }], kind: 'stat' };
}

/** Every query of the dashboard. */
export const QUERIES: readonly string[] = ROWS.flatMap(({ panels }) =>
  panels.flatMap(({ queries }) => queries.map(({ expr }) => expr)),
);

const COLUMNS = 24;
const SOURCE = { type: 'prometheus', uid: '${source}' };

/** The dashboard as Grafana imports it. */
export function dashboardJson(): string {
  let y = 0;
  let id = 0;
  const panels: object[] = [];
  for (const { title, panels: row } of ROWS) {
    panels.push({
      id: ++id,
      type: 'row',
      title,
      collapsed: false,
      gridPos: { x: 0, y: y++, w: COLUMNS, h: 1 },
      panels: [],
    });
    const height = row.every(({ kind }) => kind === 'stat') ? 4 : 8;
    const width = Math.floor(COLUMNS / row.length);
    for (const [at, panel] of row.entries())
      panels.push(panelJson(++id, panel, { x: at * width, y, w: width, h: height }));
    y += height;
  }
  const dashboard = {
    uid: 'nightmill',
    title: 'Nightmill',
    tags: ['nightmill'],
    timezone: 'browser',
    schemaVersion: 39,
    version: 1,
    refresh: '30s',
    time: { from: 'now-12h', to: 'now' },
    templating: {
      list: [{ name: 'source', label: 'Data source', type: 'datasource', query: 'prometheus', current: {}, hide: 0 }],
    },
    annotations: { list: [] },
    panels,
  };
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

function panelJson(id: number, { title, unit, queries, kind = 'timeseries' }: Panel, gridPos: object): object {
  return {
    id,
    type: kind,
    title,
    datasource: SOURCE,
    gridPos,
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    options:
      kind === 'stat'
        ? { reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false } }
        : { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi' } },
    targets: queries.map(({ expr, legend }, at) => ({
      refId: String.fromCharCode(65 + at),
      datasource: SOURCE,
      expr,
      legendFormat: legend,
    })),
  };
}
