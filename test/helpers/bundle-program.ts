import { cpSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Plugin, rolldown } from 'rolldown';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What runs as a process or thread of its own, without its extension. */
const ENTRIES = [
  'src/cli/main',
  'src/adapters/document-parser/worker',
  'src/adapters/embedded-redis/supervisor',
  'src/adapters/local-model/worker',
  'workers/simulate',
  'test/helpers/command-host',
  'test/helpers/read-status',
];

/**
 * These start an entry that lies beside them, which is the bundled one then, or read the page that is built (the tests
 * that ask for it put it there). All else that lies beside a source file is read there.
 */
const IN_BUNDLE =
  /src\/adapters\/(document-parser\/open-document-parser|embedded-redis\/start-supervisor|local-model\/open-local-model|page-files\/page-files)\.ts$/;

/** Packages that read files of their own at run time, or are not installed everywhere. */
const LEFT_OUT = [/^@energetic-ai\//, /^eld\b/, /^gpt-tokenizer\b/, /^vite$/, /^rolldown$/, /^pino$/, /^unpdf\b/];

/**
 * Writes the program to `folder` as a few files in place of 1,200 modules, packages included: a command starts with less
 * CPU, and the end-to-end tests start some thousand commands. The folder must lie in the project, so that the packages
 * that are left out are found from it.
 */
export async function bundleProgram(folder: string): Promise<void> {
  const bundle = await rolldown({
    cwd: ROOT,
    input: Object.fromEntries(ENTRIES.map((entry) => [entry, `${entry}.ts`])),
    platform: 'node',
    external: LEFT_OUT,
    plugins: [ownPlace(`${folder}/dist`), otherBuilds()],
    onLog: () => {},
  });
  await bundle.write({ dir: `${folder}/dist`, format: 'esm', minify: true, chunkFileNames: 'chunks/[name]-[hash].js' });
  await bundle.close();
  // Else Node reads each file once more, to see of which kind it is.
  writeFileSync(`${folder}/package.json`, '{"type":"module"}\n');
  cpSync(`${ROOT}bin`, `${folder}/bin`, { recursive: true });
}

/** Keeps `import.meta.url` of our own files where they were: they find what lies beside them by it. */
function ownPlace(output: string): Plugin {
  return {
    name: 'own-place',
    transform(code, id) {
      if (!code.includes('import.meta.url') || id.includes('/node_modules/')) return;
      const place = IN_BUNDLE.test(id) ? `${output}/${relative(ROOT, id).replace(/ts$/, 'js')}` : id;
      return code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(place).href));
    },
  };
}

/** What another build may have otherwise, and where it stands here. */
const OF_A_BUILD: readonly { readonly file: string; readonly from: RegExp; readonly to: string }[] = [
  {
    file: 'src/adapters/redis/format-stamp.ts',
    from: /const REDIS_FORMAT = (\d+);/,
    to: 'const REDIS_FORMAT = globalThis.otherBuild?.redisFormat ?? $1;',
  },
  {
    file: 'src/store/store-format.ts',
    from: /const STORE_FORMAT = (\d+);/,
    to: 'const STORE_FORMAT = globalThis.otherBuild?.storeFormat ?? $1;',
  },
  {
    file: 'config/version.ts',
    from: /export function version\(\): string {/,
    to: '$& if (globalThis.otherBuild?.version !== undefined) return globalThis.otherBuild.version;',
  },
];

/** One bundle is several builds: a process that has a `globalThis.otherBuild` when it starts is the one that this describes. */
function otherBuilds(): Plugin {
  return {
    name: 'other-builds',
    transform(code, id) {
      const place = OF_A_BUILD.find(({ file }) => id === `${ROOT}${file}`);
      if (place === undefined) return;
      if (!place.from.test(code)) throw new Error(`There is no ${place.from} in ${place.file}`);
      return code.replace(place.from, place.to);
    },
  };
}

if (import.meta.main) await bundleProgram(process.argv[2] ?? '');
