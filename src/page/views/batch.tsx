import { useEffect, useRef } from 'preact/hooks';
import { apiPath, get, send } from '../api.ts';
import { type Batch, hasEnded } from '../api-types.ts';
import { count, duration } from '../format.ts';
import { stepOf } from '../next-step.ts';
import { Act } from '../parts/act.tsx';
import { Whole } from '../parts/frame.tsx';
import { RaiseLimit } from '../parts/raise-limit.tsx';
import { LimitBar, PowerTime, Progress, StateBadge, Usd, When } from '../parts/values.tsx';
import { batchHref } from '../route.ts';
import { arrived, batchOf, budgetOf, keepBatch, stateChanges } from '../store.ts';
import { useLoad } from '../use-load.ts';
import { Downloads } from './downloads.tsx';
import { Evidence } from './evidence.tsx';
import { FailedDocuments } from './failed-documents.tsx';
import { GoldenSet } from './golden.tsx';
import { TierFlow } from './tier-flow.tsx';

/** How often what the models of a batch under way did is read. */
const STEPS = 10;

/** One batch: how far it is, what it costs, why it has stopped, what failed. */
export function BatchView({ id }: { readonly id: string }) {
  const [loaded, reload] = useLoad(`batch ${id}`, async (signal) => {
    const askedAt = performance.now();
    keepBatch(await get<Batch>(apiPath('batches', id), signal), askedAt);
  });
  const retryStates = retryStatesOf(id);
  // A batch that has ended sends no events, but the documents that its retry answers are counted with its own.
  useEffect(reload, [retryStates]);
  return (
    <>
      <h1 tabIndex={-1}>
        <span class="quiet">Batch</span> {id}
      </h1>
      <Whole loaded={loaded}>{() => <Shown id={id} reload={reload} />}</Whole>
    </>
  );
}

function retryStatesOf(id: string): string {
  void stateChanges.value;
  return arrived.value
    .map((each) => batchOf(each)?.peek())
    .filter((batch) => batch?.retryOf === id)
    .map((batch) => `${batch?.id} ${batch?.state}`)
    .join();
}

function Shown({ id, reload }: { readonly id: string; readonly reload: () => void }) {
  const batch = batchOf(id)?.value;
  if (batch === undefined) return null;
  return <Known batch={batch} reload={reload} />;
}

function Known({ batch, reload }: BatchProps) {
  const ended = hasEnded(batch);
  // Events do not carry what its models did; it is read again a few times a batch, and at the end.
  const step = ended ? 'ended' : Math.floor((batch.slices.committed * STEPS) / Math.max(1, batch.slices.total));
  const seen = useRef(step);
  useEffect(() => {
    if (seen.current !== step) reload();
    seen.current = step;
  }, [step]);
  return (
    <>
      <p class="line">
        <span role="status">
          <StateBadge batch={batch} />
        </span>
        <span>{batch.workflow}</span>
        {batch.tenant !== null && <span>for {batch.tenant}</span>}
        {batch.plan !== null && batch.plan !== batch.tenant && <span>plan {batch.plan}</span>}
        {batch.name !== null && <span>{batch.name}</span>}
        {Object.entries(batch.labels).map(([name, value]) => (
          <span key={name} class="label">
            {name}={value}
          </span>
        ))}
        <span>
          created <When at={batch.createdAt} />
        </span>
        {batch.finishedAt !== null && (
          <span>
            ended <When at={batch.finishedAt} />
          </span>
        )}
      </p>
      <Links batch={batch} />
      <Breaker batch={batch} reload={reload} />
      <Documents batch={batch} />
      <Money batch={batch} reload={reload} />
      {!ended && <Actions batch={batch} reload={reload} />}
      <Downloads batch={batch} />
      <TierFlow batch={batch} />
      <Evidence batch={batch} />
      <GoldenSet batch={batch} />
      <FailedDocuments batch={batch} />
    </>
  );
}

function Links({ batch: { retryOf, retries } }: { readonly batch: Batch }) {
  if (retryOf === null && retries.length === 0) return null;
  return (
    <p>
      {retryOf !== null && (
        <>
          Asks documents of <a href={batchHref(retryOf)}>{retryOf}</a> again.
        </>
      )}
      {retries.length > 0 && 'Asked again in: '}
      {retries.map((retry) => (
        <a key={retry} href={batchHref(retry)}>
          {retry}
        </a>
      ))}
    </p>
  );
}

interface BatchProps {
  readonly batch: Batch;
  readonly reload: () => void;
}

/** Every cause of a pause with what resumes the batch, and the buttons for it. */
function Breaker({ batch, reload }: BatchProps) {
  const { state, causes = [], tightest } = batch.breaker;
  const unable = Object.entries(batch.unableWorkers ?? {});
  if (state === 'closed' && unable.length === 0) return null;
  return (
    <section class={state === 'open' ? 'stopped' : 'warning'} aria-label="breaker">
      {causes.map((pause) => (
        <div key={`${pause.of} ${pause.cause} ${pause.scope}`}>
          <p>
            <strong>{pause.reason}</strong>{' '}
            <span class="quiet">
              ({pause.cause}, since <When at={pause.since} />, holds the {pause.of})
            </span>
          </p>
          <p>To resume: {stepOf(batch, pause)}</p>
          <p class="buttons">
            <PauseButtons batch={batch} pause={pause} reload={reload} />
          </p>
        </div>
      ))}
      {state !== 'open' && tightest !== undefined && (
        <p>
          <Usd amount={tightest.spentUsd} /> of <Usd amount={tightest.limitUsd} /> of {tightest.scope} are spent
          {state === 'draining' ? '; the last tier is not asked any more.' : '.'}
        </p>
      )}
      {unable.map(([worker, why]) => (
        <p key={worker}>
          The worker {worker} cannot work on it: {why}
        </p>
      ))}
    </section>
  );
}

interface PauseProps extends BatchProps {
  readonly pause: NonNullable<Batch['breaker']['causes']>[number];
}

function PauseButtons({ batch, pause, reload }: PauseProps) {
  if (pause.cause !== 'budget') {
    const target =
      pause.of === 'batch' ? apiPath('batches', batch.id, 'resume') : apiPath('workflows', batch.workflow, 'resume');
    return (
      <Act
        label={pause.of === 'batch' ? 'Resume batch' : 'Resume workflow'}
        act={async () => {
          await send('POST', target);
          reload();
        }}
      />
    );
  }
  const scope = pause.scope ?? `batch:${batch.id}`;
  const budget = budgetOf(scope)?.value;
  const own = scope === `batch:${batch.id}`;
  return (
    <>
      <RaiseLimit
        scope={scope}
        spentUsd={budget?.spentUsd ?? (own ? batch.spentUsd : null)}
        limitUsd={budget?.limitUsd ?? (own ? batch.limitUsd : (batch.breaker.tightest?.limitUsd ?? null))}
        done={reload}
      />
      {!own && (
        <Act
          label="Discard what it paused"
          danger
          ask={`Every batch that ${scope} has paused ends now. What is done and paid for is kept.`}
          act={async () => {
            await send('POST', `${apiPath('budgets', scope)}/discard`);
            reload();
          }}
        />
      )}
    </>
  );
}

const OUTCOMES = ['succeeded', 'failed', 'skipped', 'cancelled', 'expired'] as const;

function Documents({ batch }: { readonly batch: Batch }) {
  const { documents, etaSeconds, createdAt, finishedAt } = batch;
  const seconds = ((finishedAt === null ? Date.now() : Date.parse(finishedAt)) - Date.parse(createdAt)) / 1000;
  const rate = documents.done / Math.max(1, seconds);
  return (
    <section>
      <h2>Documents</h2>
      <Progress batch={batch} />
      <dl class="tiles">
        {OUTCOMES.filter((outcome) => documents[outcome] > 0 || outcome === 'succeeded' || outcome === 'failed').map(
          (outcome) => (
            <div key={outcome}>
              <dt>{outcome}</dt>
              <dd>{count(documents[outcome])}</dd>
            </div>
          ),
        )}
        <div>
          <dt>a second, on average</dt>
          <dd>{documents.done === 0 ? <span class="quiet">not known yet</span> : rate.toFixed(rate < 10 ? 1 : 0)}</dd>
        </div>
        {!hasEnded(batch) && (
          <div>
            <dt>left</dt>
            <dd>
              {etaSeconds === null || batch.state === 'paused' ? (
                <span class="quiet">not known</span>
              ) : (
                `about ${duration(etaSeconds)}`
              )}
            </dd>
          </div>
        )}
      </dl>
    </section>
  );
}

function Money({ batch, reload }: BatchProps) {
  const { spentUsd, heldUsd, limitUsd, projectedUsd, uncertainUsd, power = [] } = batch;
  const ended = hasEnded(batch);
  return (
    <section>
      <h2>Money</h2>
      {limitUsd !== null && <LimitBar name="limit of this batch" spent={spentUsd} held={heldUsd} limit={limitUsd} />}
      <dl class="tiles">
        <div>
          <dt>spent</dt>
          <dd>
            <Usd amount={spentUsd} />
            {uncertainUsd > 0 && (
              <small class="quiet">
                of it <Usd amount={uncertainUsd} /> uncertain
              </small>
            )}
          </dd>
        </div>
        <div>
          <dt>held for calls in flight</dt>
          <dd>
            <Usd amount={heldUsd} />
          </dd>
        </div>
        <div>
          <dt>limit</dt>
          <dd>
            <Usd amount={limitUsd} none="no limit of its own" />
            {!ended && <RaiseLimit scope={`batch:${batch.id}`} spentUsd={spentUsd} limitUsd={limitUsd} done={reload} />}
          </dd>
        </div>
        {!ended && (
          <div>
            <dt>projected</dt>
            <dd>
              <Usd amount={projectedUsd} />
            </dd>
          </div>
        )}
        {power.map(({ provider, state, seconds, costUsd }) => (
          <div key={provider}>
            <dt>server {provider}, beside what is spent</dt>
            <dd>
              <PowerTime seconds={seconds} costUsd={costUsd} />
              {!ended && <small class="quiet">it is {state}</small>}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Actions({ batch, reload }: BatchProps) {
  const post = (verb: string) => async () => {
    await send('POST', apiPath('batches', batch.id, verb));
    reload();
  };
  const left = batch.documents.total - batch.documents.done;
  return (
    <p class="buttons">
      {(batch.state === 'running' || batch.state === 'queued') && <Act label="Pause batch" act={post('pause')} />}
      <Act
        label="Cancel batch"
        danger
        ask={`${count(left)} of ${count(batch.documents.total)} documents will not be answered. What is done and paid for is kept. This cannot be undone.`}
        act={post('cancel')}
      />
    </p>
  );
}
