import { useState } from 'preact/hooks';
import { giveKey, keyWanted } from '../api.ts';
import { Modal } from '../parts/frame.tsx';

/** Asks for a key when the server does. */
export function KeyDialog() {
  const [secret, setSecret] = useState('');
  return (
    <Modal
      title="API key"
      close={() => {
        keyWanted.value = undefined;
      }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          giveKey(secret.trim());
        }}
      >
        <p role="alert">{keyWanted.value}</p>
        <label>
          Key
          <input
            type="password"
            autocomplete="off"
            required
            placeholder="nm_…"
            value={secret}
            onInput={(event) => setSecret(event.currentTarget.value)}
          />
        </label>
        <p class="quiet">
          Kept for this tab only. A key with the right to operate sees everything; make one with{' '}
          <code>npx nightmill key create --name me --rights operate</code>
        </p>
        <footer>
          <button type="submit" class="primary">
            Use key
          </button>
        </footer>
      </form>
    </Modal>
  );
}
