import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Workspace } from '../helpers/workspace.ts';

/** Not the bundled one, which has its packages in it. */
const PROGRAM = fileURLToPath(new URL('../../bin/nightmill.js', import.meta.url));
const NAMES_PACKAGES = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  const packages = new Set();
  registerHooks({
    load(url, context, next) {
      const [, name] = /\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url) ?? [];
      if (name !== undefined) packages.add(name);
      return next(url, context);
    },
  });
  process.on('exit', () => console.error('packages ' + [...packages].sort().join(' ')));
`)}`;

test('a command that queues nothing and calls nobody loads no queue and no HTTP client', async () => {
  await using workspace = await Workspace.make({
    'nightmill.yaml': `
providers: { acme: { kind: openai, baseUrl: "http://127.0.0.1:9" } }
models: { small: { provider: acme, id: small-1, price: { inputPerMillion: 1, outputPerMillion: 1 } } }
workflows: { triage: { task: classify, labels: [a, b], cascade: [{ model: small }] } }
`,
  });
  const { code, stderr } = await workspace.run(['results', 'none-such', '-o', 'out'], {
    ownProcess: true,
    program: PROGRAM,
    node: ['--import', NAMES_PACKAGES],
  });
  expect(code, stderr).toBe(2);
  expect(stderr).toContain('There is no batch "none-such"');
  const packages = /^packages (.+)$/m.exec(stderr)?.[1]?.split(' ');
  expect(packages).toContain('ioredis');
  for (const name of ['bullmq', 'undici', 'bottleneck', 'hyparquet-writer']) expect(packages).not.toContain(name);
}, 60_000);
