import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { usdToNano } from '../../src/money/money.ts';
import { goodAnswer, HttpModel } from '../helpers/http-model.ts';
import { startTestSimulator } from '../helpers/simulator.ts';
import { startTcpRedis, type TcpRedis } from '../helpers/tcp-redis.ts';
import {
  configYaml,
  costOf,
  expectBalanced,
  type ManifestJson,
  makeDocuments,
  oneJsonValue,
  type StatusJson,
  toJsonl,
  Workspace,
} from '../helpers/workspace.ts';

let model: HttpModel;
let redis: TcpRedis;
let open: Workspace[] = [];

beforeAll(async () => {
  model = await HttpModel.start();
  redis = await startTcpRedis();
});
afterEach(async () => {
  await Promise.all(open.map((workspace) => workspace[Symbol.asyncDispose]()));
  open = [];
  model.reset();
});
afterAll(async () => {
  await redis[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
});

async function workspaceWith(files: Readonly<Record<string, string | Uint8Array>>): Promise<Workspace> {
  const workspace = await Workspace.make(files);
  open.push(workspace);
  return workspace;
}

/** The documented sample, with the ports of this test and without the scheduled inbox's bucket. */
function sampleConfig(url: string): string {
  return `
providers:
  acme: { kind: openai, baseUrl: "${url}", apiKey: "\${ACME_API_KEY:-none}",
          limits: { requestsPerMinute: 600, tokensPerMinute: 200000, concurrency: 64 } }
models:
  small: { provider: acme, id: small-2026-01-01, contextTokens: 32768, maxOutputTokens: 1024,
           price: { inputPerMillion: 0.15, cachedInputPerMillion: 0.075, outputPerMillion: 0.60 } }   # USD
  large: { provider: acme, id: large-2026-01-01, contextTokens: 128000, maxOutputTokens: 4096,
           price: { inputPerMillion: 2.50, outputPerMillion: 10.00 } }
workflows:
  triage:
    task: classify
    labels: { billing: "Questions about invoices", bug: "Something is broken", other: "Anything else" }
    examples: triage-examples.jsonl                           # optional, {text, label} lines for the local tier
    cascade: [{ model: local, acceptAt: 0.95 }, { model: small, acceptAt: 0.85 }, { model: large }]   # \`local\` is built in
    budget: { batch: 5.00, day: 20.00, month: 300.00 }       # USD
  nightly-summary:
    task: summarize
    summary: { maxWords: 120 }
    cascade: [{ model: small }, { model: large }]
    schedule: { cron: "0 1 * * *", timezone: Europe/Berlin, input: "s3://bucket/inbox/" }
budget: { day: 100.00 }                                      # all workflows together
`;
}

const EXAMPLES = toJsonl([
  { text: 'Please send the invoice again', label: 'billing' },
  { text: 'The app crashes when I open it', label: 'bug' },
  { text: 'What a lovely day', label: 'other' },
]);

describe('nightmill run', () => {
  it('run with the sample config and no Redis gives balanced books that equal the provider’s own bill', async () => {
    await using simulator = await startTestSimulator({
      models: {
        'small-2026-01-01': {
          price: { inputPerMillion: 0.15, outputPerMillion: 0.6 },
          contextTokens: 32_768,
          accuracy: 0.9,
        },
        'large-2026-01-01': {
          price: { inputPerMillion: 2.5, outputPerMillion: 10 },
          contextTokens: 128_000,
          accuracy: 1,
        },
      },
    });
    const documents = makeDocuments(40).map((document, index) =>
      index % 2 === 0 ? document : { ...document, text: `Wie spät ist es auf Gleis ${index}? Niemand weiß das genau.` },
    );
    const workspace = await workspaceWith({
      'nightmill.yaml': sampleConfig(simulator.url),
      'triage-examples.jsonl': EXAMPLES,
      'docs.jsonl': toJsonl(documents),
    });
    const finished = await workspace.run(['run', 'docs.jsonl', '-w', 'triage', '-o', 'out', '--json']);
    expect(finished, finished.stderr).toMatchObject({ code: 0 });
    const printed = oneJsonValue<StatusJson>(finished.stdout);
    const output = await workspace.readOutput('out');
    expectBalanced(
      output,
      documents.map(({ id }) => id),
    );
    expect(output.results.map((row) => row.id)).toEqual(documents.map(({ id }) => id));
    expect(output.results.map((row) => row.metadata)).toEqual(documents.map(({ metadata }) => metadata));
    const status = await workspace.status(printed.id);
    const bill = simulator.bill().reduce((sum, line) => sum + line.costNanoUsd, 0);
    expect(bill).toBeGreaterThan(0);
    expect(costOf(output.results)).toBe(bill);
    expect(usdToNano(output.manifest.costUsd)).toBe(bill);
    expect(usdToNano(status.spentUsd)).toBe(bill);
    expect(status).toMatchObject({ state: 'completed', heldUsd: 0, limitUsd: 5, uncertainUsd: 0 });
    expect(new Set(output.results.map((row) => row.tier)).size).toBeGreaterThan(1);
  });

  it('run splits a document that the provider finds too long, whatever contextTokens says', async () => {
    const mostCharacters = 4_000;
    model.answer = (call) =>
      call.document.length > mostCharacters
        ? {
            status: 400,
            error: { message: 'too long', type: 'invalid_request_error', code: 'context_length_exceeded' },
          }
        : goodAnswer(call);
    const text = Array.from({ length: 240 }, (_, index) => `Sentence ${index} of the long document says so.`).join(' ');
    const workspace = await workspaceWith({
      'nightmill.yaml': configYaml({ url: model.url, redis: redis.url }),
      'docs.jsonl': toJsonl([{ id: 'long', text }]),
    });
    for (const workflow of ['triage', 'digest']) {
      const finished = await workspace.run(['run', 'docs.jsonl', '-w', workflow, '-o', workflow]);
      expect(finished, finished.stderr).toMatchObject({ code: 0 });
      const output = await workspace.readOutput(workflow);
      expectBalanced(output, ['long']);
      expect(output.results[0]?.calls).toBeGreaterThan(1);
    }
  });

  it('run writes result lines byte for byte as documented', async () => {
    const workspace = await workspaceWith({
      'nightmill.yaml': configYaml({ url: model.url, redis: redis.url }),
      'docs.jsonl': toJsonl([{ custom_id: 'a', text: 'The invoice', metadata: { z: 1, a: [null, 'ü'] } }]),
    });
    const finished = await workspace.run(['run', 'docs.jsonl', '-w', 'digest', '-o', 'out']);
    expect(finished, finished.stderr).toMatchObject({ code: 0 });
    const line = await readFile(workspace.path('out/results.jsonl'), 'utf8');
    const [call] = model.calls;
    const cost = (call!.costNano / 1e9).toFixed(9).replace(/0+$/, '');
    const row = JSON.parse(line) as {
      usage: { inputTokens: number; outputTokens: number };
      durationMs: number;
      prompt: string;
    };
    expect(row.durationMs).toBeGreaterThanOrEqual(0);
    expect(row.prompt).toMatch(/^summarize-v\d+@[0-9a-f]{8}$/);
    expect(line).toBe(
      `{"id":"a","status":"succeeded","result":{"summary":"The invoice"},"model":"small","tier":0,"calls":1,` +
        `"usage":{"inputTokens":${row.usage.inputTokens},"cachedInputTokens":0,"outputTokens":${row.usage.outputTokens},"reasoningTokens":0},` +
        `"costUsd":${cost},"spent":[{"tier":0,"model":"small","calls":1,"costNanoUsd":${call!.costNano}}],"durationMs":${row.durationMs},"prompt":"${row.prompt}","metadata":{"z":1,"a":[null,"ü"]}}\n`,
    );
  });

  it('run writes error lines as documented, counts what they cost, and ends with 4', async () => {
    model.answer = ({ document }) =>
      document.includes('Ticket 2:')
        ? { content: '{"label":"nonsense","confidence":1}' }
        : { content: '{"label":"bug","confidence":0.9}' };
    const documents = makeDocuments(5);
    const workspace = await workspaceWith({
      'nightmill.yaml': configYaml({ url: model.url, redis: redis.url }),
      'docs.jsonl': toJsonl(documents),
    });
    const finished = await workspace.run(['run', 'docs.jsonl', '-w', 'triage', '-o', 'out']);
    expect(finished, finished.stderr).toMatchObject({ code: 4 });
    const output = await workspace.readOutput('out');
    expectBalanced(
      output,
      documents.map(({ id }) => id),
    );
    const [line = ''] = (await readFile(workspace.path('out/errors.jsonl'), 'utf8')).split('\n');
    expect(Object.keys(JSON.parse(line) as object)).toEqual([
      'id',
      'status',
      'error',
      'calls',
      'usage',
      'costUsd',
      'spent',
    ]);
    expect(JSON.parse(line)).toMatchObject({
      id: 'doc-2',
      status: 'failed',
      error: { code: 'label_not_in_set' },
      calls: 2,
    });
    expect(usdToNano(output.manifest.costUsd)).toBe(model.billNano);
  });

  it('run of a document longer than the window makes exactly the calls that plan announces', async () => {
    const sentences = Array.from(
      { length: 700 },
      (_, i) => `Paragraph ${i} says that item ${i * 31} cost ${i * 17} euros.`,
    );
    const config = configYaml({ url: model.url, redis: redis.url }).replaceAll(
      'contextTokens: 32768',
      'contextTokens: 2400',
    );
    const workspace = await workspaceWith({
      'nightmill.yaml': config,
      'long.jsonl': toJsonl([{ id: 'long', text: sentences.join('\n\n') }]),
    });
    const plan = await workspace.json<{ calls: { low: number } }>(['plan', 'long.jsonl', '-w', 'digest']);
    expect(model.calls).toHaveLength(0);
    const finished = await workspace.run(['run', 'long.jsonl', '-w', 'digest', '-o', 'out']);
    expect(finished, finished.stderr).toMatchObject({ code: 0 });
    const { results } = await workspace.readOutput('out');
    expect(model.calls.length).toBeGreaterThan(5);
    expect(results).toMatchObject([{ id: 'long', calls: model.calls.length }]);
    expect(model.repeats).toBe(0);
    expect(model.calls.length).toBe(plan.calls.low);
  });

  it('run leaves the documented objects in the store, and the manifest’s checksums are theirs', async () => {
    const workspace = await workspaceWith({
      'nightmill.yaml': configYaml({ url: model.url, redis: redis.url }),
      'docs.jsonl': toJsonl(makeDocuments(10)),
    });
    await workspace.json(['run', 'docs.jsonl', '-w', 'triage', '-o', 'out', '--id', 'night.1']);
    const store = '.nightmill/store/batches/night.1';
    const manifest = JSON.parse(await readFile(workspace.path(`${store}/manifest.json`), 'utf8')) as ManifestJson;
    expect(manifest).toMatchObject({ schemaVersion: 2, batch: 'night.1', workflow: 'triage', state: 'completed' });
    expect(manifest.files.map((file) => file.key)).toEqual(['batches/night.1/output/part-000000.jsonl.gz']);
    const [file] = manifest.files;
    const bytes = await readFile(workspace.path(`.nightmill/store/${file!.key}`));
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(file!.sha256);
    expect(bytes).toHaveLength(file!.bytes);
    expect(gunzipSync(bytes).toString()).toBe(await readFile(workspace.path('out/results.jsonl'), 'utf8'));
    expect(await readFile(workspace.path(`${store}/input/slice-000000.jsonl.gz`))).not.toHaveLength(0);
  });

  it('run again with the same content makes no call and gives the same files', async () => {
    const workspace = await workspaceWith({
      'nightmill.yaml': configYaml({ url: model.url, redis: redis.url }),
      'docs.jsonl': toJsonl(makeDocuments(10)),
    });
    const first = await workspace.run(['run', 'docs.jsonl', '-w', 'triage', '-o', 'one']);
    const calls = model.calls.length;
    const second = await workspace.run(['run', 'docs.jsonl', '-w', 'triage', '-o', 'two']);
    expect([first.code, second.code]).toEqual([0, 0]);
    expect(calls).toBe(10);
    expect(model.calls).toHaveLength(calls);
    expect(second.stderr).toContain('were done before');
    for (const name of ['results.jsonl', 'errors.jsonl', 'manifest.json']) {
      expect(await readFile(workspace.path(`two/${name}`))).toEqual(await readFile(workspace.path(`one/${name}`)));
    }
  });
});
