import { spawnSync } from 'node:child_process';
import { cpSync, globSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildPage, writePage } from './build-page.ts';

/** Compiles the program to `dist/`, which is what the packed package runs: Node strips no types inside node_modules. */
const root = fileURLToPath(new URL('..', import.meta.url));

rmSync(`${root}dist`, { recursive: true, force: true });
// On standard error: `npm pack --json` keeps standard output for its answer.
const { status } = spawnSync(`${root}node_modules/.bin/tsc`, ['-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: ['ignore', process.stderr, 'inherit'],
});
if (status !== 0) {
  console.error('build: the compiler found errors, so there is no build');
  process.exit(1);
}

// The compiler emits the JSON that code imports; whatever else lies beside the sources and is read at run time follows.
const data = globSync(['config/**/*', 'jobs/**/*', 'src/**/*', 'workers/**/*'], { cwd: root, withFileTypes: true })
  .filter((entry) => entry.isFile() && !entry.name.endsWith('.ts'))
  .map((entry) => `${entry.parentPath}/${entry.name}`.slice(root.length))
  .filter((path) => !path.startsWith('src/page/'));
for (const file of data) cpSync(`${root}${file}`, `${root}dist/${file}`);

writePage(`${root}dist/page`, await buildPage());
