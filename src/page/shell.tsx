import { useEffect, useState } from 'preact/hooks';
import { apiKey, giveKey, keyWanted } from './api.ts';
import { zoneName } from './format.ts';
import { connection } from './live.ts';
import { Modal } from './parts/frame.tsx';
import { hrefOf, route } from './route.ts';
import { Audit } from './views/audit.tsx';
import { BatchView } from './views/batch.tsx';
import { Batches } from './views/batches.tsx';
import { KeyDialog } from './views/key-dialog.tsx';
import { Keys } from './views/keys.tsx';
import { Money } from './views/money.tsx';
import { Queues, QueueView } from './views/queues.tsx';
import { Quota } from './views/quota.tsx';
import { Schedules } from './views/schedules.tsx';
import { Submit } from './views/submit.tsx';
import { Tonight } from './views/tonight.tsx';
import { Webhooks } from './views/webhooks.tsx';

const VIEWS = [
  ['', 'Tonight'],
  ['batches', 'Batches'],
  ['schedules', 'Schedules'],
  ['money', 'Money'],
  ['queues', 'Queues'],
  ['quota', 'Quota'],
  ['audit', 'Audit'],
  ['webhooks', 'Webhooks'],
  ['keys', 'Keys'],
] as const;

export function Shell() {
  const { path } = route.value;
  const [dropped, setDropped] = useState<readonly File[]>([]);
  const [submitting, setSubmitting] = useState(false);
  const [help, setHelp] = useState(false);
  useFileDrops((files) => {
    setDropped(files);
    setSubmitting(true);
  });
  useKeys(() => setHelp(true));
  return (
    <>
      <button type="button" class="skip" onClick={skipToMain}>
        Skip to content
      </button>
      <Header
        submit={() => {
          setDropped([]);
          setSubmitting(true);
        }}
      />
      <main id="main">
        <View path={path} />
      </main>
      <Footer help={() => setHelp(true)} />
      {submitting && <Submit dropped={dropped} close={() => setSubmitting(false)} />}
      {help && <Help close={() => setHelp(false)} />}
      {keyWanted.value !== undefined && <KeyDialog />}
    </>
  );
}

function View({ path: [first = '', id] }: { readonly path: readonly string[] }) {
  if (first === '') return <Tonight />;
  if (first === 'batches') return id === undefined ? <Batches /> : <BatchView key={id} id={id} />;
  if (first === 'schedules') return <Schedules />;
  if (first === 'money') return <Money />;
  if (first === 'queues') return id === undefined ? <Queues /> : <QueueView key={id} name={id} />;
  if (first === 'quota') return <Quota />;
  if (first === 'audit') return <Audit />;
  if (first === 'webhooks') return <Webhooks />;
  if (first === 'keys') return <Keys />;
  return (
    <>
      <h1 tabIndex={-1}>Not found</h1>
      <p>
        There is no view {JSON.stringify(first)}. <a href={hrefOf([])}>Tonight</a>
      </p>
    </>
  );
}

function Header({ submit }: { readonly submit: () => void }) {
  const [current = ''] = route.value.path;
  return (
    <header class="top">
      <a class="brand" href={hrefOf([])}>
        Nightmill
      </a>
      <nav aria-label="views">
        {VIEWS.map(([name, label]) => (
          <a key={name} href={hrefOf(name === '' ? [] : [name])} aria-current={current === name ? 'page' : undefined}>
            {label}
          </a>
        ))}
      </nav>
      <button type="button" class="primary" onClick={submit}>
        New batch
      </button>
    </header>
  );
}

const CONNECTION = {
  connecting: 'connecting…',
  live: 'live',
  lost: 'not live: what is shown may be old; trying again',
} as const;

function Footer({ help }: { readonly help: () => void }) {
  return (
    <footer class="bottom">
      <span role="status" class={`connection is-${connection.value}`}>
        {CONNECTION[connection.value]}
      </span>
      <span>{zoneName() === 'UTC' ? 'Times are UTC.' : `Times are of ${zoneName()}; UTC is in their titles.`}</span>
      <a href="/docs">API</a>
      <button type="button" class="plain" onClick={help}>
        Shortcuts (?)
      </button>
      {apiKey.value === '' ? (
        <button
          type="button"
          class="plain"
          onClick={() => {
            keyWanted.value = 'With a key you see what it may see.';
          }}
        >
          Use an API key
        </button>
      ) : (
        <button
          type="button"
          class="plain"
          onClick={() => {
            giveKey('');
            location.reload();
          }}
        >
          Forget the API key
        </button>
      )}
    </footer>
  );
}

function Help({ close }: { readonly close: () => void }) {
  return (
    <Modal title="Keyboard shortcuts" close={close}>
      <dl class="keys">
        <dt>/</dt>
        <dd>go to a batch by its id</dd>
        <dt>j, k</dt>
        <dd>next batch, batch before</dd>
        <dt>Enter</dt>
        <dd>open it</dd>
        <dt>?</dt>
        <dd>this list</dd>
      </dl>
    </Modal>
  );
}

function skipToMain(): void {
  document.querySelector<HTMLElement>('h1')?.focus();
}

function useFileDrops(take: (files: readonly File[]) => void): void {
  useEffect(() => {
    const over = (event: DragEvent) => event.preventDefault();
    const drop = (event: DragEvent) => {
      event.preventDefault();
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length > 0) take(files);
    };
    document.addEventListener('dragover', over);
    document.addEventListener('drop', drop);
    return () => {
      document.removeEventListener('dragover', over);
      document.removeEventListener('drop', drop);
    };
  }, []);
}

function useKeys(help: () => void): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      const typing = target.matches('input, select, textarea') || document.querySelector('dialog[open]') !== null;
      if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === '?') help();
      if (event.key === 'j') focusRow(1);
      if (event.key === 'k') focusRow(-1);
      if (event.key === '/') {
        event.preventDefault();
        goToSearch();
      }
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
}

function focusRow(step: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')];
  const at = rows.indexOf(document.activeElement as HTMLElement);
  rows[at === -1 ? 0 : at + step]?.focus();
}

function goToSearch(): void {
  if (document.getElementById('search') === null) location.hash = hrefOf(['batches']);
  // The view is there after the next frame.
  requestAnimationFrame(() => requestAnimationFrame(() => document.getElementById('search')?.focus()));
}
