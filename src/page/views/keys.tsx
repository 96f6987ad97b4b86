import { useState } from 'preact/hooks';
import { apiPath, get, messageOf, send } from '../api.ts';
import type { KeyEntry } from '../api-types.ts';
import { Act } from '../parts/act.tsx';
import { Modal, Problem, TableFrame, Whole } from '../parts/frame.tsx';
import { When } from '../parts/values.tsx';
import { useLoad } from '../use-load.ts';

/** Who may ask this server, and for what. */
export function Keys() {
  const [making, setMaking] = useState(false);
  const [loaded, reload] = useLoad('keys', (signal) => get<{ keys: readonly KeyEntry[] }>(apiPath('keys'), signal));
  return (
    <>
      <h1 tabIndex={-1}>Keys</h1>
      <p class="buttons">
        <button type="button" onClick={() => setMaking(true)}>
          New key
        </button>
      </p>
      <Whole loaded={loaded}>
        {({ keys }) =>
          keys.length === 0 ? (
            <p class="quiet">There are no keys: only this machine can use the server.</p>
          ) : (
            <KeyTable keys={keys} reload={reload} />
          )
        }
      </Whole>
      {making && <NewKey close={() => setMaking(false)} made={reload} />}
    </>
  );
}

function KeyTable({ keys, reload }: { readonly keys: readonly KeyEntry[]; readonly reload: () => void }) {
  return (
    <TableFrame label="keys">
      <table>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">State</th>
            <th scope="col">Rights</th>
            <th scope="col">Tenant</th>
            <th scope="col">Made</th>
            <th scope="col">Until</th>
            <th scope="col">Change</th>
          </tr>
        </thead>
        <tbody>
          {keys.map(({ name, state, rights, tenant, createdAt, expiresAt }) => (
            <tr key={name}>
              <th scope="row" class="breakable">
                {name}
              </th>
              <td>{state}</td>
              <td>{rights.join(', ')}</td>
              <td class="breakable">{tenant ?? '–'}</td>
              <td>
                <When at={createdAt} />
              </td>
              <td>{expiresAt === null ? 'no end' : <When at={expiresAt} />}</td>
              <td>
                {state !== 'revoked' && (
                  <Act
                    label="Revoke"
                    danger
                    ask={`Whoever uses the key ${name} is refused from now on. Its name stays taken.`}
                    act={async () => {
                      await send('POST', apiPath('keys', name, 'revoke'));
                      reload();
                    }}
                  />
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableFrame>
  );
}

const RIGHTS = [
  ['read', 'see batches and results'],
  ['submit', 'add batches, cancel its own'],
  ['operate', 'everything, for all tenants'],
] as const;

function NewKey({ close, made }: { readonly close: () => void; readonly made: () => void }) {
  const [secret, setSecret] = useState<string>();
  const [problem, setProblem] = useState<string>();
  const make = async (form: HTMLFormElement) => {
    const fields = new FormData(form);
    const text = (name: string) => String(fields.get(name) ?? '').trim();
    const optional = (name: string) => (text(name) === '' ? {} : { [name]: text(name) });
    const body = {
      name: text('name'),
      rights: fields.getAll('rights').join(','),
      ...optional('tenant'),
      ...optional('expires'),
    };
    try {
      const answer = await send<{ secret: string }>('POST', apiPath('keys'), body);
      setSecret(answer?.secret);
      made();
    } catch (error) {
      setProblem(messageOf(error));
    }
  };
  if (secret !== undefined) {
    return (
      <Modal title="The new key" close={close}>
        <p>Copy it now: it is shown this once and kept nowhere.</p>
        <p>
          <code class="breakable">{secret}</code>
        </p>
      </Modal>
    );
  }
  return (
    <Modal title="New key" close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void make(event.currentTarget);
        }}
      >
        <label>
          Name
          <input name="name" required autocomplete="off" />
        </label>
        {RIGHTS.map(([right, meaning]) => (
          <label class="check" key={right}>
            <input type="checkbox" name="rights" value={right} defaultChecked={right !== 'operate'} />
            {right}: {meaning}
          </label>
        ))}
        <label>
          Tenant (optional)
          <input name="tenant" autocomplete="off" />
        </label>
        <label>
          Until (optional)
          <input name="expires" placeholder="90d" autocomplete="off" />
        </label>
        {problem !== undefined && <Problem>{problem}</Problem>}
        <footer>
          <button type="submit" class="primary">
            Make key
          </button>
        </footer>
      </form>
    </Modal>
  );
}
