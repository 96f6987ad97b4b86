import { apiPath, get } from '../api.ts';
import type { Manifest } from '../api-types.ts';
import { count, percent } from '../format.ts';
import { TableFrame, Whole } from '../parts/frame.tsx';
import { Usd } from '../parts/values.tsx';
import { useLoad } from '../use-load.ts';

/** What each model of the cascade was asked, what it answered, and what that cost; from the manifest. */
export function TierFlow({ id }: { readonly id: string }) {
  const [loaded] = useLoad(`manifest ${id}`, (signal) => get<Manifest>(apiPath('batches', id, 'manifest'), signal));
  return (
    <section>
      <h2>Models</h2>
      <Whole loaded={loaded}>
        {({ cost: { byModel }, documents }) =>
          byModel.length === 0 ? (
            <p class="quiet">No model was asked.</p>
          ) : (
            <TableFrame label="models">
              <table>
                <thead>
                  <tr>
                    <th scope="col">Tier</th>
                    <th scope="col">Model</th>
                    <th scope="col" class="number">
                      Calls
                    </th>
                    <th scope="col">Documents answered</th>
                    <th scope="col" class="number">
                      Cost
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {byModel.map(({ tier, model, calls, accepted, costUsd }) => (
                    <tr key={`${tier} ${model}`}>
                      <td>{tier + 1}</td>
                      <th scope="row">{model}</th>
                      <td class="number">{count(calls)}</td>
                      <td>
                        <span class="progress">
                          <progress
                            max={Math.max(1, documents.total)}
                            value={accepted}
                            aria-label={`documents that ${model} answered`}
                          />
                          <span class="nowrap">
                            {count(accepted)} <span class="quiet">({percent(accepted, documents.total)})</span>
                          </span>
                        </span>
                      </td>
                      <td class="number">
                        <Usd amount={costUsd} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </TableFrame>
          )
        }
      </Whole>
    </section>
  );
}
