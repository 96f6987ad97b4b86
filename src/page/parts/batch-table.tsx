import { duration } from '../format.ts';
import { batchHref } from '../route.ts';
import { batchOf } from '../store.ts';
import { TableFrame } from './frame.tsx';
import { Progress, StateBadge, Usd, When } from './values.tsx';

/** Rows stay where they are; only their cells change. */
export function BatchTable({ label, ids }: { readonly label: string; readonly ids: readonly string[] }) {
  return (
    <TableFrame label={label}>
      <table>
        <thead>
          <tr>
            <th scope="col">Batch</th>
            <th scope="col">State</th>
            <th scope="col">Documents</th>
            <th scope="col" class="number">
              Spent
            </th>
            <th scope="col" class="number wide">
              Limit
            </th>
            <th scope="col" class="wide">
              Workflow
            </th>
            <th scope="col" class="wide">
              Created
            </th>
          </tr>
        </thead>
        <tbody>
          {ids.map((id) => (
            <BatchRow key={id} id={id} />
          ))}
        </tbody>
      </table>
    </TableFrame>
  );
}

function BatchRow({ id }: { readonly id: string }) {
  const batch = batchOf(id)?.value;
  if (batch === undefined) return null;
  return (
    <tr>
      <th scope="row">
        <a href={batchHref(id)} data-row>
          {id}
        </a>
        {batch.name !== null && <span class="quiet"> {batch.name}</span>}
      </th>
      <td>
        <StateBadge batch={batch} />
      </td>
      <td>
        <Progress batch={batch} />
        {batch.state === 'running' && batch.etaSeconds !== null && (
          <span class="quiet"> about {duration(batch.etaSeconds)} left</span>
        )}
      </td>
      <td class="number" data-label="spent">
        <Usd amount={batch.spentUsd} />
      </td>
      <td class="number wide">
        <Usd amount={batch.limitUsd} none="no limit" />
      </td>
      <td class="wide">
        {batch.workflow}
        {batch.tenant !== null && <span class="quiet"> for {batch.tenant}</span>}
      </td>
      <td class="wide">
        <When at={batch.createdAt} />
      </td>
    </tr>
  );
}
