import type { Plan } from '../api-types.ts';
import { TableFrame } from './frame.tsx';

const MARKS = { met: 'met', unmet: 'not met', unknown: 'not known' } as const;

/** What a person should know before the documents are sent: what is assumed, and which requirements would be met. */
export function Requirements({ plan: { warnings, requirements } }: { readonly plan: Plan }) {
  return (
    <>
      {warnings.length > 0 && (
        <ul class="warnings" aria-label="warnings">
          {warnings.map((warning) => (
            <li key={warning}>{warning}</li>
          ))}
        </ul>
      )}
      {requirements !== null && requirements.length > 0 && (
        <TableFrame label="requirements of the workflow">
          <table>
            <thead>
              <tr>
                <th>Requirement</th>
                <th>Wanted</th>
                <th>State</th>
                <th>Found</th>
              </tr>
            </thead>
            <tbody>
              {requirements.map(({ requirement, state, want, found, by }) => (
                <tr key={requirement}>
                  <th scope="row">{requirement}</th>
                  <td>{want}</td>
                  <td>{state === 'unmet' ? <strong>{MARKS[state]}</strong> : MARKS[state]}</td>
                  <td>
                    {found}
                    {by === undefined ? '' : ` (off by ${by})`}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </TableFrame>
      )}
    </>
  );
}
