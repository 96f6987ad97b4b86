import { globSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Holds the sources to the floor plan of docs/architecture.md: an area imports areas of lower floors only, and only
 * the areas at the edge talk to files, sockets, Redis and queues. Files import each other in no cycle, types counted
 * (Biome's `noImportCycles` reads every installed package for that: five seconds for each file that is formatted).
 * What depends on a workflow's task stands in the table of `src/tasks/` alone. Prints nothing when all is well.
 *
 * An area is a folder of `src/` (or a file, such as `app.ts`), or a folder at the top.
 */
const FLOORS: readonly (readonly string[])[] = [
  ['workers'],
  ['cli', 'library'],
  ['http', 'page'],
  ['setup'],
  ['operations'],
  ['worker'],
  ['app', 'reports'],
  ['finalize', 'adapters'],
  ['digests'],
  ['slices', 'budgets', 'results', 'plans', 'bills'],
  ['batches', 'config'],
  ['tasks'],
  ['cascades'],
  ['calls'],
  ['quota', 'doctor', 'schedules'],
  ['providers'],
  ['requests'],
  ['documents', 'workflows', 'simulator', 'evaluation'],
  ['access', 'compat', 'text', 'checks', 'redaction', 'ledger', 'measures'],
  ['runtime', 'money', 'store', 'prompts', 'local-model', 'calibration', 'jobs'],
  ['errors', 'docs'],
];

/** Only these may reach outside the process; everything else goes through a port. */
const EDGE = new Set(['adapters', 'cli', 'config', 'workers']);
const EDGE_PACKAGES = new Set(['node:fs', 'node:fs/promises', 'node:net', 'undici', 'ioredis', 'bullmq']);

/** Files that may import an edge package all the same, and why. */
const EXCEPTIONS: ReadonlyMap<string, string> = new Map([
  ['src/simulator/bill.ts', 'the simulator is a program of its own: it writes its bill'],
  ['src/simulator/read-flags.ts', 'the simulator is a program of its own: it reads its options file'],
  ['src/simulator/start-simulator.ts', 'the simulator is a program of its own: it listens'],
  ['src/redaction/find-addresses.ts', 'isIPv6 is a pure function'],
  ['src/documents/list-folder.ts', 'reads the input'],
  ['src/documents/open-input.ts', 'reads the input'],
  ['src/documents/random-access.ts', 'reads the input'],
  ['src/documents/spool-stream.ts', 'reads the input'],
  ['src/results/table-format.ts', 'writes the download'],
  ['src/text/vocabulary.ts', 'reads a table of an installed package'],
  ['src/results/download-results.ts', 'writes the download'],
  ['src/runtime/nameless-file.ts', 'memory on the disk, without a name'],
  ['src/runtime/make-folder.ts', 'makes folders for what writes files'],
  ['src/app.ts', 'the type of the connection that it opens and hands on'],
]);

const MAX_FILES_IN_FOLDER = 31;
const MAX_LINES_IN_FILE = 350;

// Statements as the formatter writes them, dynamic imports and packages loaded with require().
const IMPORT =
  /^(?:import|export)\s[^;'=]*?\bfrom '([^'\n]+)'|^import '([^'\n]+)'|\b(?:import|require(?:\.resolve)?)\('([^'\n]+)'\)/gm;

/** A question which task a workflow has; only the table of tasks answers it. */
const TASK_BRANCH = /\btask\s*[!=]==|[!=]==\s*[\w.]*\.task\b|\bswitch \([\w.]*\btask\)/g;

const root = fileURLToPath(new URL('..', import.meta.url));
const floorOf = new Map(FLOORS.flatMap((areas, floor) => areas.map((area) => [area, floor] as const)));
const problems: string[] = [];
const files = globSync(['config/**/*.ts', 'jobs/**/*.ts', 'src/**/*.{ts,tsx}', 'workers/**/*.ts'], {
  cwd: root,
}).sort();
const importsOf = new Map<string, string[]>();
let imports = 0;
for (const file of files) {
  const area = areaOf(file);
  if (!floorOf.has(area)) problems.push(`${file} is in no area: give ${area} a floor in scripts/check-imports.ts`);
  const text = readFileSync(join(root, file), 'utf8');
  const lines = text.split('\n').length - 1;
  if (lines > MAX_LINES_IN_FILE) problems.push(`${file} has ${lines} lines, the most is ${MAX_LINES_IN_FILE}`);
  for (const { index } of area === 'tasks' ? [] : text.matchAll(TASK_BRANCH)) {
    const line = text.slice(0, index).split('\n').length;
    problems.push(`${file}:${line} asks which task it is: give the tasks in src/tasks/task.ts a field for it`);
  }
  for (const match of text.matchAll(IMPORT)) {
    imports++;
    const specifier = match[1] ?? match[2] ?? match[3] ?? '';
    if (match[3] === undefined && specifier.startsWith('.'))
      importsOf.set(file, [...(importsOf.get(file) ?? []), join(dirname(file), specifier)]);
    const problem = problemOf(file, area, specifier, /^(?:import|export) type\s/.test(match[0]));
    const line = text.slice(0, match.index + match[0].length).split('\n').length;
    if (problem !== undefined) problems.push(`${file}:${line} ${problem}`);
  }
}
if (imports < files.length)
  problems.push(`only ${imports} imports were found in ${files.length} files: is IMPORT out of date?`);
problems.push(...cycles(importsOf));
for (const folder of new Set(files.map((file) => dirname(file)))) {
  const count = readdirSync(join(root, folder), { withFileTypes: true }).filter((entry) => entry.isFile()).length;
  if (count > MAX_FILES_IN_FOLDER)
    problems.push(`${folder} has ${count} files, the most is ${MAX_FILES_IN_FOLDER}: look for a second room`);
}

if (problems.length > 0) {
  console.error(`check-imports: ${problems.length} problems\n  ${problems.join('\n  ')}`);
  process.exitCode = 1;
}

/** A line for each import that closes a cycle, by a search in depth. */
function cycles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    if (path.includes(file)) {
      found.push(`imports in a cycle: ${[...path.slice(path.indexOf(file)), file].join(' > ')}`);
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const next of graph.get(file) ?? []) visit(next);
    path.pop();
    done.add(file);
  };
  for (const file of graph.keys()) visit(file);
  return found;
}

function problemOf(file: string, area: string, specifier: string, typesOnly: boolean): string | undefined {
  if (specifier.startsWith('.')) {
    const target = areaOf(normalize(join(dirname(file), specifier)));
    if (area === 'page' && target !== 'page' && !typesOnly)
      return `imports ${specifier}: the page runs in browsers, so it takes only types from ${target}`;
    if (target === area || (floorOf.get(target) ?? -1) > (floorOf.get(area) ?? -1)) return undefined;
    return `${area} imports ${target}, which is not on a lower floor`;
  }
  if (!specifier.startsWith('node:') && builtinModules.includes(specifier))
    return `imports ${specifier}: write node:${specifier}`;
  if (area === 'page' && specifier.startsWith('node:')) return `imports ${specifier}: the page runs in browsers`;
  if (EDGE_PACKAGES.has(specifier) && !EDGE.has(area) && !EXCEPTIONS.has(file))
    return `imports ${specifier}; only ${[...EDGE].join(', ')} may: put a port between`;
  return undefined;
}

function areaOf(path: string): string {
  const [first = '', second = ''] = path.split('/');
  return first === 'src' ? second.replace(/\.ts$/, '') : first;
}
