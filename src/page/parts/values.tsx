import { Fragment } from 'preact';
import type { Batch, BatchState } from '../api-types.ts';
import { count, exactUsd, localTime, minutes, percent, usd, utcTime } from '../format.ts';

/** May break after a colon and a slash. */
export function Scope({ name }: { readonly name: string }) {
  return (
    <>
      {name.split(/(?<=[:/])/).map((part, index) => (
        <Fragment key={index}>
          <wbr />
          {part}
        </Fragment>
      ))}
    </>
  );
}

/** In the reader's zone, which the header names; UTC in the title. */
export function When({ at }: { readonly at: string }) {
  return (
    <time dateTime={at} title={utcTime(at)} class="nowrap">
      {localTime(at)}
    </time>
  );
}

/** The exact amount is in the title. @param none what is said where there is no amount */
export function Usd({ amount, none = 'not known yet' }: { readonly amount: number | null; readonly none?: string }) {
  if (amount === null) return <span class="quiet">{none}</span>;
  return (
    <span class="amount" title={exactUsd(amount)}>
      {usd(amount)}
    </span>
  );
}

/** How long a server of one's own was on, and what that cost. */
export function PowerTime({ seconds, costUsd }: { readonly seconds: number; readonly costUsd: number | null }) {
  return (
    <>
      {minutes(seconds)}, <Usd amount={costUsd} none="cost not known: set price.perHour of the provider" />
    </>
  );
}

const SIGNS: Readonly<Record<BatchState, string>> = {
  ingesting: '↑',
  queued: '…',
  running: '▶',
  paused: '‖',
  finalizing: '↓',
  completed: '✓',
  cancelled: '✕',
  expired: '✕',
  failed: '!',
};

/** In words and with a sign: colour alone tells some people nothing. */
export function StateBadge({ batch }: { readonly batch: Pick<Batch, 'state' | 'documents'> }) {
  const { state, documents } = batch;
  const someFailed = state === 'completed' && documents.succeeded < documents.total;
  return (
    <span class={`badge ${someFailed ? 'is-partly' : `is-${state}`}`}>
      <span aria-hidden="true">{someFailed ? '!' : SIGNS[state]}</span>{' '}
      {someFailed ? `completed, ${count(documents.total - documents.succeeded)} failed` : state}
    </span>
  );
}

export function Progress({ batch }: { readonly batch: Batch }) {
  const { done, total } = batch.documents;
  return (
    <span class="progress">
      <progress max={Math.max(1, total)} value={done} aria-label={`documents of ${batch.id} that are done`} />
      <span class="nowrap">
        {count(done)} of {count(total)} <span class="quiet">({percent(done, total)})</span>
      </span>
    </span>
  );
}

/** Spent and held of a limit. */
export function LimitBar({
  name,
  spent,
  held,
  limit,
}: {
  readonly name: string;
  readonly spent: number;
  readonly held: number;
  readonly limit: number;
}) {
  const share = (amount: number) => (limit === 0 ? 100 : Math.min(100, (amount / limit) * 100));
  const label = `${name}: ${percent(spent, limit)} spent, ${percent(held, limit)} held of ${usd(limit)}`;
  return (
    <span class="limit-bar" role="img" aria-label={label} title={label}>
      <span class={spent >= limit * 0.8 ? 'spent near' : 'spent'} style={{ width: `${share(spent)}%` }} />
      <span class="held" style={{ width: `${Math.min(share(held), 100 - share(spent))}%` }} />
    </span>
  );
}
