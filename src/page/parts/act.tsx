import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { messageOf } from '../api.ts';
import { Modal, Problem } from './frame.tsx';

interface ActProps {
  readonly label: string;
  /** What will happen; absent: it is done at once. */
  readonly ask?: ComponentChildren;
  readonly danger?: boolean;
  readonly act: () => Promise<void>;
}

/** A button that changes something: asks first where that cannot be undone, and tells what went wrong beside it. */
export function Act({ label, ask, danger = false, act }: ActProps) {
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const go = async () => {
    setBusy(true);
    setProblem(undefined);
    try {
      await act();
      setAsking(false);
    } catch (error) {
      setProblem(messageOf(error));
    } finally {
      setBusy(false);
    }
  };
  const button = (text: string, onClick: () => void) => (
    <button type="button" class={danger ? 'danger' : ''} disabled={busy} onClick={onClick}>
      {text}
    </button>
  );
  return (
    <>
      {button(label, ask === undefined ? () => void go() : () => setAsking(true))}
      {!asking && problem !== undefined && <Problem>{problem}</Problem>}
      {asking && (
        <Modal title={`${label}?`} close={() => setAsking(false)}>
          <p>{ask}</p>
          {problem !== undefined && <Problem>{problem}</Problem>}
          <footer>{button(label, () => void go())}</footer>
        </Modal>
      )}
    </>
  );
}
