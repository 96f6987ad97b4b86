import { globSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Holds the sources to the import arrows: everything points towards the domain, only app.ts and worker.ts choose
 * adapters, and nothing imports an entry point. Cycles are biome's (`noImportCycles`).
 *
 * Areas are matched by the longest name that fits. `packages` absent: any.
 */
interface Rule {
  readonly area: string;
  readonly imports: readonly string[];
  readonly packages?: readonly string[];
}

const INNER = ['src/domain', 'src/errors.ts'];
const CORE = [...INNER, 'jobs', 'src/ports'];
const WIRED = [...CORE, 'config', 'src/pipeline', 'src/adapters'];

const RULES: readonly Rule[] = [
  { area: 'src/domain', imports: ['src/domain'], packages: ['eld', 'gpt-tokenizer'] },
  { area: 'src/errors.ts', imports: [], packages: [] },
  { area: 'config', imports: ['config', ...INNER] },
  { area: 'jobs', imports: ['jobs', 'src/domain'], packages: ['zod'] },
  { area: 'src/ports', imports: ['src/ports', 'src/domain'], packages: [] },
  { area: 'src/ports/job-queue.ts', imports: ['src/ports', 'src/domain', 'jobs'], packages: [] },
  { area: 'src/pipeline', imports: ['src/pipeline', ...CORE], packages: ['cockatiel', 'csv-parse', 'zod'] },
  { area: 'src/adapters', imports: ['src/adapters', ...CORE] },
  { area: 'src/simulator', imports: ['src/simulator', 'src/domain'] },
  { area: 'src/app.ts', imports: WIRED },
  { area: 'src/worker.ts', imports: [...WIRED, 'src/app.ts'] },
  { area: 'src/http', imports: ['src/http', 'src/app.ts', 'src/worker.ts', ...WIRED] },
  { area: 'src/cli', imports: ['src/cli', 'src/http', 'src/app.ts', 'src/worker.ts', 'src/simulator', ...WIRED] },
  { area: 'workers', imports: ['src/app.ts', 'src/worker.ts', 'src/simulator', 'jobs', 'config', 'src/errors.ts'] },
];

const root = fileURLToPath(new URL('..', import.meta.url));
// Statements as the formatter writes them, dynamic imports and packages loaded with require().
const IMPORT =
  /^(?:import|export)\s[^;'=]*?\bfrom '([^'\n]+)'|^import '([^'\n]+)'|\b(?:import|require(?:\.resolve)?)\('([^'\n]+)'\)/gm;

const problems: string[] = [];
const files = globSync(['config/**/*.ts', 'jobs/**/*.ts', 'src/**/*.ts', 'workers/**/*.ts'], { cwd: root }).sort();
let imports = 0;
for (const file of files) {
  const rule = ruleOf(file);
  if (rule === undefined) {
    problems.push(`${file} is in no area: add one to scripts/check-imports.ts`);
    continue;
  }
  const text = readFileSync(join(root, file), 'utf8');
  for (const match of text.matchAll(IMPORT)) {
    imports++;
    const specifier = match[1] ?? match[2] ?? match[3] ?? '';
    const problem = problemOf(file, rule, specifier);
    const line = text.slice(0, match.index + match[0].length).split('\n').length;
    if (problem !== undefined) problems.push(`${file}:${line} ${problem}`);
  }
}
if (imports < files.length)
  problems.push(`only ${imports} imports were found in ${files.length} files: is IMPORT out of date?`);

if (problems.length === 0) {
  console.log(`check-imports: ${imports} imports of ${files.length} files follow the arrows`);
} else {
  console.error(`check-imports: ${problems.length} imports go against the arrows\n  ${problems.join('\n  ')}`);
  process.exitCode = 1;
}

function ruleOf(file: string): Rule | undefined {
  const fitting = RULES.filter(({ area }) => isIn(file, area));
  return fitting.sort((a, b) => b.area.length - a.area.length)[0];
}

function problemOf(file: string, rule: Rule, specifier: string): string | undefined {
  if (specifier.startsWith('.')) {
    const target = normalize(join(dirname(file), specifier));
    if (rule.imports.some((area) => isIn(target, area))) return undefined;
    return `imports ${target}; ${rule.area} may import ${rule.imports.join(', ') || 'nothing'}`;
  }
  if (specifier.startsWith('node:')) return undefined;
  if (builtinModules.includes(specifier)) return `imports ${specifier}: write node:${specifier}`;
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  if (rule.packages === undefined || rule.packages.includes(name)) return undefined;
  return `imports the package ${name}; ${rule.area} may use ${rule.packages.join(', ') || 'none'}`;
}

function isIn(path: string, area: string): boolean {
  return path === area || path.startsWith(`${area}/`);
}
