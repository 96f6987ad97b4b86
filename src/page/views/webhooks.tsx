import type { DeliveryJson } from '../../budgets/delivery-log.ts';
import { get } from '../api.ts';
import { count } from '../format.ts';
import { TableFrame, Whole } from '../parts/frame.tsx';
import { Scope, When } from '../parts/values.tsx';
import { useLoad } from '../use-load.ts';

const SHOWN = 200;

/** What webhooks and programs were told lately, and what did not arrive; newest first. */
export function Webhooks() {
  const [loaded, reload] = useLoad('webhooks', (signal) =>
    get<{ deliveries: readonly DeliveryJson[] }>(`/api/v1/webhooks?limit=${SHOWN}`, signal),
  );
  return (
    <>
      <h1 tabIndex={-1}>Webhooks</h1>
      <p class="buttons">
        <button type="button" onClick={reload}>
          Read again
        </button>
      </p>
      <Whole loaded={loaded}>
        {({ deliveries }) =>
          deliveries.length === 0 ? (
            <p class="quiet">
              No webhook was told anything yet. They stand in the config: <code>alerts.webhooks</code>.
            </p>
          ) : (
            <>
              <Deliveries deliveries={deliveries} />
              {deliveries.length === SHOWN && (
                <p class="quiet">
                  The last {SHOWN} of them; <code>nightmill webhooks --limit 1000</code> shows more.
                </p>
              )}
            </>
          )
        }
      </Whole>
    </>
  );
}

function Deliveries({ deliveries }: { readonly deliveries: readonly DeliveryJson[] }) {
  return (
    <TableFrame label="deliveries">
      <table>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Event</th>
            <th scope="col">Of</th>
            <th scope="col">Webhook</th>
            <th scope="col">Outcome</th>
            <th scope="col" class="number">
              Tries
            </th>
          </tr>
        </thead>
        <tbody>
          {deliveries.map(({ at, message, webhook, kind, event, subject, outcome, attempts, reason }) => (
            <tr key={`${message} ${webhook}`}>
              <td>
                <When at={at} />
              </td>
              <th scope="row">{event}</th>
              <td class="breakable">
                <Scope name={subject} />
              </td>
              <td class="breakable" data-label="webhook">
                {webhook} <span class="quiet">({kind})</span>
              </td>
              <td class="breakable" data-label="outcome">
                <span class={`badge ${outcome === 'lost' ? 'is-failed' : 'is-completed'}`}>
                  <span aria-hidden="true">{outcome === 'lost' ? '!' : '✓'}</span> {outcome}
                </span>
                {reason !== null && <div>{reason}</div>}
              </td>
              <td class="number" data-label="tries">
                {count(attempts)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableFrame>
  );
}
