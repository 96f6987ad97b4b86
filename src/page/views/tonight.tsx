import { type Alarm, alarmsOf } from '../alarms.ts';
import { get, withQuery } from '../api.ts';
import { type Batch, type BatchPage, type Budget, hasEnded } from '../api-types.ts';
import { counted } from '../format.ts';
import { stepOf } from '../next-step.ts';
import { BatchTable } from '../parts/batch-table.tsx';
import { Whole } from '../parts/frame.tsx';
import { LimitBar, Usd, When } from '../parts/values.tsx';
import { batchHref, hrefOf } from '../route.ts';
import { arrived, batchOf, budgetOf, keepBatch, keepBudget, stateChanges } from '../store.ts';
import { useLoad } from '../use-load.ts';

const MAX_OPEN = 200;
const DAY_MS = 24 * 60 * 60 * 1000;

interface Night {
  readonly open: readonly Batch[];
  readonly more: boolean;
  readonly ended: readonly Batch[];
  readonly seen: number;
  readonly changes: number;
}

/** What runs, what stopped and why, what waits; then what ended in the last day. */
export function Tonight() {
  const [loaded, reload] = useLoad('tonight', readNight);
  return (
    <>
      <h1 tabIndex={-1}>Tonight</h1>
      <Whole loaded={loaded}>{(night) => <NightView night={night} reload={reload} />}</Whole>
    </>
  );
}

async function readNight(signal: AbortSignal): Promise<Night> {
  const askedAt = performance.now();
  const since = new Date(Date.now() - DAY_MS).toISOString();
  const [open, recent, { budgets }] = await Promise.all([
    get<BatchPage>(withQuery('/api/v1/batches', { open: 'true', limit: String(MAX_OPEN) }), signal),
    get<BatchPage>(withQuery('/api/v1/batches', { since, limit: '50' }), signal),
    get<{ budgets: readonly Budget[] }>('/api/v1/budgets', signal),
  ]);
  for (const batch of [...recent.batches.toReversed(), ...open.batches.toReversed()]) keepBatch(batch, askedAt);
  for (const budget of budgets) keepBudget(budget);
  const ended = recent.batches.filter(hasEnded).slice(0, 20);
  return {
    open: open.batches,
    more: open.next !== null,
    ended,
    seen: arrived.peek().length,
    changes: stateChanges.peek(),
  };
}

function NightView({ night, reload }: { readonly night: Night; readonly reload: () => void }) {
  const { open, ended } = night;
  const by = (...states: readonly Batch['state'][]) => open.filter(({ state }) => states.includes(state));
  const stopped = by('paused');
  const running = by('running', 'finalizing');
  const queued = by('queued', 'ingesting');
  const ids = (batches: readonly Batch[]) => batches.map(({ id }) => id);
  return (
    <>
      <Spending />
      <News night={night} reload={reload} />
      {night.more && <p class="quiet">Only the {MAX_OPEN} newest open batches are shown.</p>}
      <h2>Stopped ({stopped.length})</h2>
      {stopped.length === 0 ? (
        <p class="quiet">Nothing has stopped.</p>
      ) : (
        stopped.map(({ id }) => <Stopped key={id} id={id} />)
      )}
      <Alarms alarms={alarmsOf([...open, ...ended])} />
      <h2>Running ({running.length})</h2>
      {running.length === 0 ? (
        <p class="quiet">No batch is worked on.</p>
      ) : (
        <BatchTable label="running batches" ids={ids(running)} />
      )}
      <h2>Next ({queued.length})</h2>
      {queued.length === 0 ? (
        <p class="quiet">
          Nothing waits. Drop a file on this page, or: <code>npx nightmill submit docs.jsonl -w WORKFLOW</code>
        </p>
      ) : (
        <BatchTable label="batches that wait" ids={ids(queued)} />
      )}
      <h2>Ended, of the last 24 hours</h2>
      {ended.length === 0 ? <p class="quiet">None yet.</p> : <BatchTable label="batches that ended" ids={ids(ended)} />}
      <p>
        <a href={hrefOf(['batches'])}>All batches</a>
      </p>
    </>
  );
}

/** Nothing moves by itself: a button says how much has changed, and puts it in order. */
function News({ night, reload }: { readonly night: Night; readonly reload: () => void }) {
  const changes = stateChanges.value - night.changes + arrived.value.length - night.seen;
  return (
    <p class="news" role="status">
      {changes > 0 && (
        <button type="button" class="primary" onClick={reload}>
          {counted(changes, 'change')}: put in order
        </button>
      )}
    </p>
  );
}

function Stopped({ id }: { readonly id: string }) {
  const batch = batchOf(id)?.value;
  if (batch === undefined) return null;
  const { causes = [] } = batch.breaker;
  return (
    <article class="stopped">
      <h3>
        <a href={batchHref(id)} data-row>
          {id}
        </a>{' '}
        <span class="quiet">{batch.workflow}</span>
      </h3>
      {causes.length === 0 ? (
        <p>It continues.</p>
      ) : (
        causes.map((pause) => (
          <p key={`${pause.of} ${pause.cause} ${pause.scope}`}>
            {pause.reason}{' '}
            <span class="quiet">
              (since <When at={pause.since} />)
            </span>
            <br />
            <strong>To resume:</strong> {stepOf(batch, pause)}
          </p>
        ))
      )}
    </article>
  );
}

function Alarms({ alarms }: { readonly alarms: readonly Alarm[] }) {
  if (alarms.length === 0) return null;
  return (
    <>
      <h2>To look at ({alarms.length})</h2>
      {alarms.map(({ workflow, batch, at, text }) => (
        <article key={`${workflow} ${text}`} class="stopped">
          <p>
            <a href={batchHref(batch)}>{workflow}</a>: {text}{' '}
            <span class="quiet">
              (since <When at={at} />)
            </span>
          </p>
        </article>
      ))}
    </>
  );
}

/** The ledger's own totals; nothing is added up here. */
function Spending() {
  const scopes = ['global/day', 'global/month'] as const;
  return (
    <dl class="tiles broad">
      {scopes.map((scope) => {
        const budget = budgetOf(scope)?.value;
        if (budget === undefined) return null;
        return (
          <div key={scope}>
            <dt>{scope === 'global/day' ? 'Spent today' : 'Spent this month'}</dt>
            <dd>
              <Usd amount={budget.spentUsd} />{' '}
              <span class="quiet nowrap">
                {budget.limitUsd === null ? (
                  'no limit'
                ) : (
                  <>
                    of <Usd amount={budget.limitUsd} />
                  </>
                )}
              </span>
              {budget.limitUsd !== null && (
                <LimitBar name={scope} spent={budget.spentUsd} held={budget.heldUsd} limit={budget.limitUsd} />
              )}
              <small class="quiet">
                {budget.period}, all workflows; <Usd amount={budget.heldUsd} /> held
              </small>
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
