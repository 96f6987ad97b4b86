import { get } from '../api.ts';
import type { Budget } from '../api-types.ts';
import { TableFrame, Whole } from '../parts/frame.tsx';
import { RaiseLimit } from '../parts/raise-limit.tsx';
import { LimitBar, Scope, Usd } from '../parts/values.tsx';
import { budgetOf, keepBudget } from '../store.ts';
import { useLoad } from '../use-load.ts';
import { Days } from './days.tsx';

/** Limits, spent and held of every scope in its present period, as the ledger has them. */
export function Money() {
  const [loaded, reload] = useLoad('money', async (signal) => {
    const { budgets } = await get<{ budgets: readonly Budget[] }>('/api/v1/budgets', signal);
    for (const budget of budgets) keepBudget(budget);
    return budgets.map(({ scope }) => scope);
  });
  return (
    <>
      <h1 tabIndex={-1}>Money</h1>
      <p class="quiet">
        Each line is a total of its own: a dollar of a batch counts in its batch, its workflow, its tenant and all
        together. Spent has what is uncertain in it.
      </p>
      <Whole loaded={loaded}>
        {(scopes) =>
          scopes.length === 0 ? (
            <p class="quiet">This key sees no budget: it needs the right to operate, or a tenant.</p>
          ) : (
            <TableFrame label="budgets">
              <table>
                <thead>
                  <tr>
                    <th scope="col">Scope</th>
                    <th scope="col" class="number">
                      Spent
                    </th>
                    <th scope="col" class="number wide">
                      Held
                    </th>
                    <th scope="col" class="number">
                      Limit
                    </th>
                    <th scope="col" class="wide">
                      Used
                    </th>
                    <th scope="col">
                      <span class="unseen">Change</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {scopes.map((scope) => (
                    <BudgetRow key={scope} scope={scope} reload={reload} />
                  ))}
                </tbody>
              </table>
            </TableFrame>
          )
        }
      </Whole>
      <Days />
    </>
  );
}

function BudgetRow({ scope, reload }: { readonly scope: string; readonly reload: () => void }) {
  const budget = budgetOf(scope)?.value;
  if (budget === undefined) return null;
  const { spentUsd, uncertainUsd, heldUsd, limitUsd, period } = budget;
  return (
    <tr>
      <th scope="row">
        <Scope name={scope} /> {period !== null && period !== '' && <span class="quiet nowrap">{period}</span>}
      </th>
      <td class="number" data-label="spent">
        <Usd amount={spentUsd} />
        {uncertainUsd > 0 && (
          <small class="quiet">
            {' '}
            (<Usd amount={uncertainUsd} /> uncertain)
          </small>
        )}
      </td>
      <td class="number wide">
        <Usd amount={heldUsd} />
      </td>
      <td class="number" data-label="limit">
        <Usd amount={limitUsd} none="no limit" />
      </td>
      <td class="wide">
        {limitUsd === null ? '' : <LimitBar name={scope} spent={spentUsd} held={heldUsd} limit={limitUsd} />}
      </td>
      <td>
        <RaiseLimit short scope={scope} spentUsd={spentUsd} limitUsd={limitUsd} done={reload} />
      </td>
    </tr>
  );
}
