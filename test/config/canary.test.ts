import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import { makeTemporaryFolder } from '../helpers/temporary-folder.ts';

async function canaryOf(written: string) {
  await using folder = await makeTemporaryFolder();
  const file = join(folder.path, 'nightmill.yaml');
  writeFileSync(
    file,
    `
providers: { acme: { kind: openai, baseUrl: "http://127.0.0.1:7111/v1", apiKey: k, canary: ${written} } }
models: { small: { provider: acme, id: small-2026-01-01 } }
workflows: { triage: { task: classify, labels: [a, b], cascade: [{ model: small }] } }
`,
  );
  return loadConfig({ file, env: {}, cwd: '/' }).providers.get('acme')?.canary;
}

it('is asked as often as it says, at most once a minute, and of a model that there is', async () => {
  expect(await canaryOf('{ every: 15m }')).toEqual({ everyMs: 900_000 });
  expect(await canaryOf('{ every: 1h, model: small }')).toEqual({ everyMs: 3_600_000, model: 'small' });
  await expect(canaryOf('{ every: 5s }')).rejects.toThrow('must be a minute or more');
  await expect(canaryOf('{ every: 1h, model: large }')).rejects.toThrow('no model "large"; it has small');
});
