import { readFileSync } from 'node:fs';

/**
 * The packages of the lock file: their licences, and which of them run a script when they are installed. Reads nothing else, so it needs no
 * network. `--list` prints the licences of what is shipped; known faults of packages are `npm audit`'s.
 */

/** Of what users install. None of them asks for more than a notice. */
const SHIPPED = new Set([
  'MIT',
  'MIT-0',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'Unlicense',
  'MIT OR Apache-2.0',
]);
/** Of tools that stay here: changes to them would have to be published, and there are none. */
const TOOLS = new Set([...SHIPPED, 'MPL-2.0']);

interface LockedPackage {
  readonly version: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
  readonly integrity?: string;
}

const read = (name: string): unknown => JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), 'utf8'));
const { allowScripts } = read('package.json') as { readonly allowScripts: Readonly<Record<string, boolean>> };
const { packages } = read('package-lock.json') as { readonly packages: Readonly<Record<string, LockedPackage>> };

const problems: string[] = [];
const shipped = new Map<string, string[]>();
for (const [path, locked] of Object.entries(packages)) {
  if (path === '') continue;
  const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
  const { version, license = 'none', dev = false } = locked;
  if (!(dev ? TOOLS : SHIPPED).has(license)) {
    problems.push(
      `${name} ${version} has the licence ${license}: take another package, or add it here with the reason.`,
    );
  }
  if (locked.hasInstallScript === true && allowScripts[name] !== true) {
    problems.push(`${name} ${version} runs a script when it is installed and is not in allowScripts of package.json.`);
  }
  if (locked.integrity === undefined) {
    problems.push(`${name} ${version} has no checksum in package-lock.json: add it again with npm install.`);
  }
  if (!dev) shipped.set(license, [...(shipped.get(license) ?? []), `${name} ${version}`]);
}
if (process.argv.includes('--list')) {
  for (const [license, names] of [...shipped].sort()) console.log(`${license}: ${names.sort().join(', ')}\n`);
}
for (const problem of problems) console.error(`packages: ${problem}`);
if (problems.length > 0) process.exitCode = 1;
