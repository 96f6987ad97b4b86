import { useCallback, useEffect, useState } from 'preact/hooks';
import { messageOf } from './api.ts';

/** What is being read, could not be read, or was read; empty is a value, and not the same as loading. */
export type Loaded<T> =
  | { readonly state: 'loading' }
  | { readonly state: 'failed'; readonly message: string }
  | { readonly state: 'ready'; readonly value: T };

/** Reads once for each `key`, and again on `reload`, while what was there stays. */
export function useLoad<T>(key: string, read: (signal: AbortSignal) => Promise<T>): [Loaded<T>, () => void] {
  const [loaded, setLoaded] = useState<{ key: string; now: Loaded<T> }>({ key, now: { state: 'loading' } });
  const [round, setRound] = useState(0);
  // `key` names all that `read` depends on
  useEffect(() => {
    const abort = new AbortController();
    read(abort.signal).then(
      (value) => !abort.signal.aborted && setLoaded({ key, now: { state: 'ready', value } }),
      (error: unknown) =>
        !abort.signal.aborted && setLoaded({ key, now: { state: 'failed', message: messageOf(error) } }),
    );
    return () => abort.abort();
  }, [key, round]);
  const reload = useCallback(() => setRound((before) => before + 1), []);
  return [loaded.key === key ? loaded.now : { state: 'loading' }, reload];
}
