import { get, withQuery } from '../api.ts';
import { type Batch, type BatchPage, STATES, type Workflow } from '../api-types.ts';
import { BatchTable } from '../parts/batch-table.tsx';
import { Whole } from '../parts/frame.tsx';
import { batchHref, hrefOf, route } from '../route.ts';
import { arrived, batchOf, keepBatch } from '../store.ts';
import { useLoad } from '../use-load.ts';

const PAGE = 50;

interface Shown {
  readonly ids: readonly string[];
  readonly next: string | null;
  /** How many batches had arrived when this was read. */
  readonly seen: number;
}

/** Every batch, newest first, a page at a time; the filters are in the address. */
export function Batches() {
  const { query } = route.value;
  const address = withQuery('/api/v1/batches', {
    state: query.state,
    workflow: query.workflow,
    tenant: query.tenant,
    after: query.after,
    limit: String(PAGE),
  });
  const [loaded, reload] = useLoad(address, async (signal): Promise<Shown> => {
    const askedAt = performance.now();
    const { batches, next } = await get<BatchPage>(address, signal);
    for (const batch of batches.toReversed()) keepBatch(batch, askedAt);
    return { ids: batches.map(({ id }) => id), next, seen: arrived.peek().length };
  });
  return (
    <>
      <h1 tabIndex={-1}>Batches</h1>
      <Filters />
      <Whole loaded={loaded}>{(shown) => <Page shown={shown} reload={reload} />}</Whole>
    </>
  );
}

function Page({ shown, reload }: { readonly shown: Shown; readonly reload: () => void }) {
  const { query } = route.value;
  const { after, ...filters } = query;
  const fresh = after === undefined ? arrived.value.slice(shown.seen).filter((id) => matches(id, filters)) : [];
  return (
    <>
      <p class="news" role="status">
        {fresh.length > 0 && (
          <button type="button" class="primary" onClick={reload}>
            {fresh.length} new: show
          </button>
        )}
      </p>
      {shown.ids.length === 0 ? (
        <p class="quiet">
          {Object.keys(query).length === 0 ? (
            <>
              No batch yet. Drop a file on this page, or: <code>npx nightmill submit docs.jsonl -w WORKFLOW</code>
            </>
          ) : (
            <>
              No batch is like that. <a href={hrefOf(['batches'])}>Show all</a>
            </>
          )}
        </p>
      ) : (
        <BatchTable label="batches" ids={shown.ids} />
      )}
      <nav class="pages" aria-label="pages">
        {after !== undefined && <a href={hrefOf(['batches'], filters)}>Newest</a>}
        {shown.next !== null && <a href={hrefOf(['batches'], { ...filters, after: shown.next })}>Older</a>}
      </nav>
      <p class="quiet">{shown.ids.length === 1 ? 'One batch' : `${shown.ids.length} batches`} on this page.</p>
    </>
  );
}

function matches(id: string, { state, workflow, tenant }: Readonly<Record<string, string>>): boolean {
  const batch: Batch | undefined = batchOf(id)?.peek();
  return (
    batch !== undefined &&
    (state === undefined || batch.state === state) &&
    (workflow === undefined || batch.workflow === workflow) &&
    (tenant === undefined || batch.tenant === tenant)
  );
}

function Filters() {
  const { query } = route.value;
  const [workflows] = useLoad('workflows', (signal) =>
    get<{ workflows: readonly Workflow[] }>('/api/v1/workflows', signal),
  );
  const names = workflows.state === 'ready' ? workflows.value.workflows.map(({ name }) => name) : [];
  const set = (name: string, value: string) => {
    const { after: _, ...rest } = query;
    location.hash = hrefOf(['batches'], { ...rest, [name]: value });
  };
  return (
    <form class="filters" onSubmit={(event) => event.preventDefault()}>
      <Choice name="state" value={query.state} choices={STATES} set={set} />
      <Choice name="workflow" value={query.workflow} choices={names} set={set} />
      <label>
        Tenant
        <input value={query.tenant ?? ''} onChange={(event) => set('tenant', event.currentTarget.value.trim())} />
      </label>
      <label>
        Go to batch
        <input
          id="search"
          placeholder="its id"
          onChange={(event) => {
            const id = event.currentTarget.value.trim();
            if (id !== '') location.hash = batchHref(id);
          }}
        />
      </label>
    </form>
  );
}

interface ChoiceProps {
  readonly name: string;
  readonly value: string | undefined;
  readonly choices: readonly string[];
  readonly set: (name: string, value: string) => void;
}

function Choice({ name, value = '', choices, set }: ChoiceProps) {
  const all = value === '' || choices.includes(value) ? choices : [value, ...choices];
  return (
    <label>
      {name === 'state' ? 'State' : 'Workflow'}
      <select value={value} onChange={(event) => set(name, event.currentTarget.value)}>
        <option value="">all</option>
        {all.map((choice) => (
          <option key={choice} value={choice}>
            {choice}
          </option>
        ))}
      </select>
    </label>
  );
}
