/** What a bill's line says, by the kind of figure. */
export const BILL_FIELDS = ['model', 'input', 'cached', 'output', 'cost', 'time', 'request', 'calls'] as const;

export type BillField = (typeof BILL_FIELDS)[number];

/** The columns that make up each field; several are added up. A field that the bill does not have is absent. */
export type BillColumns = Readonly<Partial<Record<BillField, readonly string[]>>> & {
  readonly model: readonly string[];
};

/**
 * Known names in order of preference. The first of a group decides; the others belong to it where they exist.
 * They are those of the simulator's bill, OpenAI's usage and cost exports and API pages, and Anthropic's usage and cost
 * exports and API pages, whose input counts leave the cached tokens out.
 */
const KNOWN: Readonly<Record<BillField, readonly (readonly string[])[]>> = {
  model: [['model'], ['model_version'], ['snapshot_id'], ['model_id'], ['model_name'], ['line_item'], ['description']],
  input: [
    [
      'usage_input_tokens_no_cache',
      'usage_input_tokens_cache_write_5m',
      'usage_input_tokens_cache_write_1h',
      'usage_input_tokens_cache_write',
      'usage_input_tokens_cache_read',
    ],
    [
      'uncached_input_tokens',
      'cache_creation.ephemeral_5m_input_tokens',
      'cache_creation.ephemeral_1h_input_tokens',
      'cache_read_input_tokens',
    ],
    ['input_tokens'],
    ['prompt_tokens'],
    ['n_context_tokens_total'],
  ],
  cached: [
    ['usage_input_tokens_cache_read'],
    ['cache_read_input_tokens'],
    ['input_cached_tokens'],
    ['cached_input_tokens'],
    ['cached_tokens'],
    ['n_cached_context_tokens_total'],
  ],
  output: [['usage_output_tokens'], ['output_tokens'], ['completion_tokens'], ['n_generated_tokens_total']],
  cost: [['cost_nano_usd'], ['cost_usd'], ['amount.value'], ['amount_value'], ['amount_usd'], ['cost']],
  time: [
    ['at'],
    ['usage_date_utc'],
    ['start_time_iso'],
    ['start_time'],
    ['starting_at'],
    ['timestamp'],
    ['time'],
    ['usage_date'],
    ['date'],
    ['day'],
    ['created_at'],
    ['aggregation_timestamp'],
  ],
  request: [['request_hash'], ['request_id'], ['request']],
  calls: [['num_model_requests'], ['n_requests'], ['requests'], ['request_count'], ['calls']],
};

/**
 * Finds the columns of a bill.
 *
 * @param names as they stand in the bill; `costUsd`, `cost_usd` and `Cost (USD)` are the same name
 * @param given columns named by the user for a field; they win
 * @returns undefined where no column says the model, or a given one does not exist
 */
export function findBillColumns(
  names: readonly string[],
  given: Readonly<Partial<Record<BillField, readonly string[]>>>,
): { readonly kind: 'found'; readonly columns: BillColumns } | { readonly kind: 'missing'; readonly what: string } {
  const byPlainName = new Map(names.map((name) => [plainName(name), name]));
  const columns: Partial<Record<BillField, readonly string[]>> = {};
  for (const field of BILL_FIELDS) {
    const wanted = given[field];
    if (wanted === undefined) {
      const group = KNOWN[field].find(([first = '']) => byPlainName.has(plainName(first)));
      const found = group?.map((name) => byPlainName.get(plainName(name))).filter((name) => name !== undefined);
      if (found !== undefined) columns[field] = found;
      continue;
    }
    const absent = wanted.find((name) => !byPlainName.has(plainName(name)));
    if (absent !== undefined) return { kind: 'missing', what: `a column ${JSON.stringify(absent)} for ${field}` };
    columns[field] = wanted.map((name) => byPlainName.get(plainName(name)) ?? name);
  }
  const { model } = columns;
  if (model === undefined) return { kind: 'missing', what: 'a column that says the model' };
  if (columns.cost === undefined && (columns.input === undefined || columns.output === undefined)) {
    return { kind: 'missing', what: 'columns that say the cost, or the input and output tokens' };
  }
  return { kind: 'found', columns: { ...columns, model } };
}

/** Whether a cost column holds nano-dollars; all others hold dollars. */
export function isNanoColumn(name: string): boolean {
  return plainName(name).endsWith('nanousd');
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9.]/g, '');
}
