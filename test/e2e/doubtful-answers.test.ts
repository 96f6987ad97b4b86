import { expect, it } from 'vitest';
import type { ModelCall } from '../helpers/http-model.ts';
import { Workspace } from '../helpers/workspace.ts';
import { modelAndRedis } from './model-and-redis.ts';

const { model, redis } = await modelAndRedis();
let runs = 0;

async function run(workflow: string, text: string, answer: (call: ModelCall) => string, finish?: string) {
  runs += 1;
  model.answer = (call) => ({ content: answer(call), ...(finish === undefined ? {} : { finish }) });
  const config = `
redis: ${redis.url}
redisPrefix: doubt-${runs}
providers: { acme: { kind: openai, baseUrl: "${model.url}", apiKey: key } }
models:
  small: { provider: acme, id: small-2026-01-01, contextTokens: 32768, maxOutputTokens: 1024, price: { inputPerMillion: 1, outputPerMillion: 2 } }
  large: { provider: acme, id: large-2026-01-01, contextTokens: 32768, maxOutputTokens: 1024, price: { inputPerMillion: 4, outputPerMillion: 8 } }
workflows: { w: { ${workflow} } }
`;
  await using workspace = await Workspace.make({
    'nightmill.yaml': config,
    'd.jsonl': `${JSON.stringify({ id: 'd', text })}\n`,
  });
  const finished = await workspace.run(['run', 'd.jsonl', '-w', 'w', '-o', 'out']);
  const { results, errors, manifest } = await workspace.readOutput('out');
  const [row] = [...results, ...errors] as unknown as Record<string, unknown>[];
  return { finished, row, manifest, calls: [...model.calls] };
}

interface AttemptSeen {
  readonly costUsd: number;
}

const CLASSIFY = 'task: classify, labels: { billing: Invoices, bug: Broken }';
const TWO_TIERS = 'cascade: [{ model: small, acceptAt: 0.8 }, { model: large }]';
const isLarge = ({ body }: ModelCall) => body.model.startsWith('large');

it('a row of a cascade says what every tier has answered, and what each has cost', async () => {
  const { row, calls } = await run(`${CLASSIFY}, ${TWO_TIERS}`, 'The invoice is wrong.', (call) =>
    isLarge(call) ? '{"label": "bug", "confidence": 0.9}' : '{"label": "billing", "confidence": 0.4}',
  );
  expect(row).toMatchObject({
    status: 'succeeded',
    tier: 1,
    attempts: [
      { tier: 0, model: 'small', label: 'billing', confidence: 0.4, reason: 'low_confidence' },
      { tier: 1, model: 'large', label: 'bug', confidence: 0.9, reason: 'accepted' },
    ],
  });
  expect(calls).toHaveLength(2);
  const costs = ((row?.['attempts'] ?? []) as AttemptSeen[]).map(({ costUsd }) => costUsd);
  expect(costs.every((cost) => cost > 0)).toBe(true);
  expect(costs.reduce((a, b) => a + b, 0)).toBeCloseTo(row?.['costUsd'] as number, 9);
});

it('a row has no attempts where the config does not want them', async () => {
  const { row } = await run(
    `${CLASSIFY}, ${TWO_TIERS}, rows: { attempts: false }`,
    'The invoice is wrong.',
    () => '{"label": "bug", "confidence": 0.9}',
  );
  expect(row).not.toHaveProperty('attempts');
});

it('an error row for low confidence keeps the label that was paid for, and an unknown confidence is not 0', async () => {
  const cascade = 'cascade: [{ model: small, acceptAt: 0.8 }]';
  const { row, finished } = await run(`${CLASSIFY}, ${cascade}`, 'The invoice is wrong.', () => 'billing');
  expect(finished.code).toBe(4);
  expect(row).toMatchObject({
    status: 'failed',
    error: { code: 'low_confidence', message: expect.stringContaining('states no confidence that can be read') },
    attempts: [{ tier: 0, model: 'small', label: 'billing', reason: 'low_confidence' }],
  });
  expect(JSON.stringify(row)).not.toContain('0.000,');
});

const SUMMARIZE = 'task: summarize, summary: { maxWords: 40 }, cascade: [{ model: small }]';
const TEXT = 'The harbour office asks for forty pallets and says soon. It wants them by April.';

it('a summary that a check doubts is kept with a warning, and fails where the config says so', async () => {
  const doubtful = () => '{"summary": "The harbour office asks for 77 pallets."}';
  const kept = await run(SUMMARIZE, TEXT, doubtful);
  expect(kept.row).toMatchObject({
    status: 'succeeded',
    result: { summary: 'The harbour office asks for 77 pallets.' },
    warnings: ['numbers_not_found'],
  });
  const failed = await run(`${SUMMARIZE}, checks: { onFail: fail }`, TEXT, doubtful);
  expect(failed.row).toMatchObject({ status: 'failed', error: { code: 'numbers_not_found' } });
});

it('a summary that was cut off twice is kept up to its last whole sentence, marked', async () => {
  const cut = () => '{"summary": "The harbour office asks for forty pallets. It wants th';
  const { row, calls } = await run(SUMMARIZE, TEXT, cut, 'length');
  expect(calls).toHaveLength(2);
  expect(row).toMatchObject({
    status: 'succeeded',
    result: { summary: 'The harbour office asks for forty pallets.' },
    warnings: ['truncated'],
  });
});

it('a repair turn for the form alone has the reply, what was wrong and the schema, but not the document', async () => {
  const prose = 'The harbour office asks for forty pallets and wants them by April.';
  const { row, calls } = await run(SUMMARIZE, `${TEXT} secretword`, ({ document }) =>
    document.includes('secretword') ? prose : JSON.stringify({ summary: prose }),
  );
  expect(row).toMatchObject({ status: 'succeeded', result: { summary: prose } });
  expect(calls).toHaveLength(2);
  const said = JSON.stringify(calls[1]?.body.messages);
  expect(said).not.toContain('secretword');
  for (const part of [prose, 'the reply is not a JSON object', 'additionalProperties']) expect(said).toContain(part);
});
