import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

/** A file of the page: its path under `/`, and its content. */
export interface BuiltFile {
  readonly path: string;
  readonly text: string;
}

/** Bundles `src/page/` for browsers. Nothing is written. */
export async function buildPage(): Promise<readonly BuiltFile[]> {
  const built = await build({
    configFile: false,
    root: fileURLToPath(new URL('../src/page', import.meta.url)),
    base: './',
    logLevel: 'error',
    build: {
      write: false,
      target: 'es2022',
      // The page's policy allows no inline script, and data: URLs would be counted in the script.
      assetsInlineLimit: 0,
      modulePreload: false,
    },
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  });
  if (!('output' in built)) throw new Error('Vite has built something else than one page.');
  return built.output.map((file) => ({
    path: file.fileName,
    text: file.type === 'chunk' ? file.code : Buffer.from(file.source).toString('utf8'),
  }));
}

export function writePage(folder: string, files: readonly BuiltFile[]): void {
  for (const { path, text } of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

// As a program it prints the files as JSON, for a server that runs from the sources.
if (import.meta.main) process.stdout.write(JSON.stringify(await buildPage()));
