import '@preact/signals';
import { render } from 'preact';
import { followEvents } from './live.ts';
import { parseRoute, route } from './route.ts';
import { Shell } from './shell.tsx';

/** The page's entry: reads the address, draws, follows the server. */
route.value = parseRoute(location.hash);
nameView();
addEventListener('hashchange', () => {
  const before = route.value;
  route.value = parseRoute(location.hash);
  nameView();
  // A filter keeps the focus where the person is; another view is read from its heading on.
  if (before.path.join('/') !== route.value.path.join('/')) {
    requestAnimationFrame(() => document.querySelector<HTMLElement>('h1')?.focus());
  }
});

function nameView(): void {
  const [first = 'tonight', id] = route.value.path;
  document.title = `${id ?? first} · Nightmill`;
}

const root = document.getElementById('page');
if (root !== null) render(<Shell />, root);
void followEvents();
