import { get, withQuery } from '../api.ts';
import type { AuditEntry } from '../api-types.ts';
import { TableFrame, Whole } from '../parts/frame.tsx';
import { When } from '../parts/values.tsx';
import { hrefOf, route } from '../route.ts';
import { useLoad } from '../use-load.ts';

/** Who changed what, newest first. */
export function Audit() {
  const { before } = route.value.query;
  const address = withQuery('/api/v1/audit', { limit: '100', before });
  const [loaded] = useLoad(address, (signal) =>
    get<{ entries: readonly AuditEntry[]; next: string | null }>(address, signal),
  );
  return (
    <>
      <h1 tabIndex={-1}>Audit</h1>
      <Whole loaded={loaded}>
        {({ entries, next }) => (
          <>
            {entries.length === 0 ? <p class="quiet">Nothing was changed yet.</p> : <Entries entries={entries} />}
            <nav class="pages" aria-label="pages">
              {before !== undefined && <a href={hrefOf(['audit'])}>Newest</a>}
              {next !== null && <a href={hrefOf(['audit'], { before: next })}>Older</a>}
            </nav>
          </>
        )}
      </Whole>
    </>
  );
}

function Entries({ entries }: { readonly entries: readonly AuditEntry[] }) {
  return (
    <TableFrame label="audit log">
      <table>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Who</th>
            <th scope="col">What</th>
            <th scope="col">Of</th>
            <th scope="col">Before</th>
            <th scope="col">After</th>
          </tr>
        </thead>
        <tbody>
          {entries.map(({ id, at, who, action, target, before, after }) => (
            <tr key={id}>
              <td>
                <When at={at} />
              </td>
              <td>{who}</td>
              <th scope="row">{action}</th>
              <td class="breakable">{target}</td>
              <td class="breakable" data-label="before">
                {before ?? '–'}
              </td>
              <td class="breakable" data-label="after">
                {after ?? '–'}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableFrame>
  );
}
