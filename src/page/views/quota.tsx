import { get } from '../api.ts';
import type { Pool } from '../api-types.ts';
import { count } from '../format.ts';
import { TableFrame, Whole } from '../parts/frame.tsx';
import { useLoad } from '../use-load.ts';

/** The providers' limits that all workers share, and the models under them. */
export function Quota() {
  const [loaded] = useLoad('quota', (signal) => get<{ pools: readonly Pool[] }>('/api/v1/quota', signal));
  return (
    <>
      <h1 tabIndex={-1}>Quota</h1>
      <Whole loaded={loaded}>
        {({ pools }) =>
          pools.length === 0 ? (
            <p class="quiet">
              The config names no limits of providers (<code>limits:</code> of a provider or a pool).
            </p>
          ) : (
            <TableFrame label="quotas">
              <table>
                <thead>
                  <tr>
                    <th scope="col">Pool</th>
                    <th scope="col">Limits</th>
                    <th scope="col">Models</th>
                  </tr>
                </thead>
                <tbody>
                  {pools.map(({ name, limits, models }) => (
                    <tr key={name}>
                      <th scope="row">{name}</th>
                      <td>{limitsText(limits)}</td>
                      <td>{models.length === 0 ? <span class="quiet">none</span> : models.join(', ')}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </TableFrame>
          )
        }
      </Whole>
    </>
  );
}

function limitsText(limits: Pool['limits']): string {
  const parts = Object.entries(limits).map(
    ([name, most]) => `${count(most)} ${name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}`,
  );
  return parts.length === 0 ? 'no limit' : parts.join(', ');
}
