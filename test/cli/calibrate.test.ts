import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/calibration/random.ts';
import { runCli } from '../helpers/cli.ts';
import { makeTemporaryFolder } from '../helpers/temporary-folder.ts';

const nightmill = (folder: string, ...args: string[]) => runCli(folder, args);

const CONFIG = `
providers:
  acme: { kind: openai, baseUrl: "http://127.0.0.1:9/v1", apiKey: none }
models:
  small: { provider: acme, id: small-1, contextTokens: 8000, maxOutputTokens: 100, price: { inputPerMillion: 1, outputPerMillion: 1 } }
  large: { provider: acme, id: large-1, contextTokens: 8000, maxOutputTokens: 100, price: { inputPerMillion: 9, outputPerMillion: 9 } }
workflows:
  triage:
    task: classify
    labels: { a: one, b: two }
    audit: 0.05
    cascade: [{ model: small, acceptAt: calibrated }, { model: large }]
`;

/** Nights in which everything under 0.9 was passed on and one in twenty of the rest was audited. */
function rows(count: number): string {
  const random = seededRandom(4);
  return Array.from({ length: count }, (_, index) => {
    const confidence = 0.5 + random() / 2;
    const isWrong = random() < 0.6 * (1 - confidence);
    const reason = confidence < 0.9 ? 'low_confidence' : random() < 0.05 ? 'audited' : 'accepted';
    const first = { tier: 0, model: 'small', label: 'a', confidence, reason, costUsd: 0.0001 };
    const last = { tier: 1, model: 'large', label: isWrong ? 'b' : 'a', reason: 'accepted', costUsd: 0.001 };
    return JSON.stringify({
      id: `${index}`,
      status: 'succeeded',
      attempts: reason === 'accepted' ? [first] : [first, last],
    });
  }).join('\n');
}

describe('nightmill calibrate', () => {
  it('refuses a workflow without a calibration with the fix, and uses the one that its rows give', async () => {
    await using folder = await makeTemporaryFolder();
    writeFileSync(join(folder.path, 'nightmill.yaml'), CONFIG);
    writeFileSync(join(folder.path, 'docs.jsonl'), '{"id":"1","text":"hello"}\n');
    writeFileSync(join(folder.path, 'results.jsonl'), rows(4_000));
    const refused = await nightmill(folder.path, 'submit', 'docs.jsonl', '-w', 'triage');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('nightmill calibrate -w triage');
    const made = await nightmill(folder.path, 'calibrate', '-w', 'triage', '--rows', 'results.jsonl', '--json');
    expect(made.stderr).toContain('kept in');
    const found = JSON.parse(made.stdout);
    expect(found).toMatchObject({ target: 0.9, metric: 'agreement', fallback: null });
    expect(found.tiers[0].thresholds.a).toBeLessThan(0.8);
    const submitted = await nightmill(folder.path, 'submit', 'docs.jsonl', '-w', 'triage');
    expect(submitted.code).toBe(0);
    writeFileSync(join(folder.path, 'nightmill.yaml'), CONFIG.replace('small-1', 'small-2'));
    const stale = await nightmill(folder.path, 'submit', 'docs.jsonl', '-w', 'triage', '--id', 'again');
    expect(stale.stderr).toContain('other prompts or models');
  }, 120_000);

  it('calibrates on recorded answers: prints the promise, writes the file, and is the same for the same seed', async () => {
    await using folder = await makeTemporaryFolder();
    const random = seededRandom(5);
    const lines = Array.from({ length: 3_000 }, (_, id) => {
      const confidence = 0.5 + random() / 2;
      const prediction = random() < 0.6 * (1 - confidence) ? 'b' : 'a';
      const small = { prediction, correct: prediction === 'a', confidence, cost_usd: 0.001 };
      return JSON.stringify({ id, models: { small, large: { prediction: 'a', correct: true, cost_usd: 0.01 } } });
    });
    writeFileSync(join(folder.path, 'records.jsonl'), lines.join('\n'));
    const { code, stdout } = await nightmill(folder.path, 'calibrate', '--records', 'records.jsonl', '-o', 'made.json');
    expect(code).toBe(0);
    expect(stdout).toContain('promise    at least 90.0 % of the answers agree with the strong model');
    const again = await nightmill(folder.path, 'calibrate', '--records', 'records.jsonl', '--json');
    expect(JSON.parse(readFileSync(join(folder.path, 'made.json'), 'utf8'))).toEqual(JSON.parse(again.stdout));
  }, 120_000);

  it('names the line of recorded answers that cannot be used', async () => {
    await using folder = await makeTemporaryFolder();
    writeFileSync(join(folder.path, 'records.jsonl'), '{"models":{"a":{"correct":true},"b":{}}}\n');
    const { code, stderr } = await nightmill(folder.path, 'calibrate', '--records', 'records.jsonl');
    expect(code).toBe(2);
    expect(stderr).toContain('line 1 has no answer of "b"');
  }, 60_000);
});
