import { existsSync, readFileSync } from 'node:fs';

/** The package's version, from the package.json above the sources or above `dist/`. */
export function version(): string {
  for (const path of ['../package.json', '../../package.json']) {
    const url = new URL(path, import.meta.url);
    if (existsSync(url)) return (JSON.parse(readFileSync(url, 'utf8')) as { version: string }).version;
  }
  return 'unknown';
}
