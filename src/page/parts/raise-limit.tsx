import { useState } from 'preact/hooks';
import { apiPath, messageOf, send } from '../api.ts';
import { usd } from '../format.ts';
import { proposedLimit } from '../next-step.ts';
import { Modal, Problem } from './frame.tsx';

interface RaiseLimitProps {
  readonly scope: string;
  readonly spentUsd: number | null;
  readonly limitUsd: number | null;
  readonly done: () => void;
  /** A table says what is changed. */
  readonly short?: boolean;
}

/** A limit in a dialog; what paused because of it resumes by itself once there is room again. */
export function RaiseLimit({ scope, spentUsd, limitUsd, done, short = false }: RaiseLimitProps) {
  const [open, setOpen] = useState(false);
  const label = limitUsd === null ? 'Set limit' : 'Change limit';
  return (
    <>
      <button type="button" aria-label={`${label} of ${scope}`} onClick={() => setOpen(true)}>
        {short ? label.replace(' limit', '') : label}
      </button>
      {open && (
        <LimitDialog
          {...{ scope, spentUsd, limitUsd }}
          close={() => setOpen(false)}
          done={() => {
            setOpen(false);
            done();
          }}
        />
      )}
    </>
  );
}

function LimitDialog({ scope, spentUsd, limitUsd, done, close }: RaiseLimitProps & { readonly close: () => void }) {
  const [amount, setAmount] = useState(String(proposedLimit(limitUsd, spentUsd ?? 0)));
  const [problem, setProblem] = useState<string>();
  const submit = async (event: Event) => {
    event.preventDefault();
    try {
      await send('PUT', apiPath('budgets', scope), { limitUsd: Number(amount) });
      done();
    } catch (error) {
      setProblem(messageOf(error));
    }
  };
  return (
    <Modal title={`Limit of ${scope}`} close={close}>
      <form onSubmit={(event) => void submit(event)}>
        <p>
          Now {limitUsd === null ? 'without a limit' : usd(limitUsd)}
          {spentUsd === null ? '' : `, of which ${usd(spentUsd)} are spent`}. What has paused because of this limit goes
          on by itself once there is room.
        </p>
        <label>
          New limit in dollars
          <input
            type="number"
            min="0"
            step="any"
            required
            value={amount}
            onInput={(event) => setAmount(event.currentTarget.value)}
          />
        </label>
        {problem !== undefined && <Problem>{problem}</Problem>}
        <footer>
          <button type="submit" class="primary">
            Set limit
          </button>
        </footer>
      </form>
    </Modal>
  );
}
