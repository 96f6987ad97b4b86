import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { usdToNano } from '../../src/money/money.ts';
import { goodAnswer, HttpModel, type ModelCall } from '../helpers/http-model.ts';
import { startTcpRedis, type TcpRedis } from '../helpers/tcp-redis.ts';
import { costOf, expectBalanced, type Output, toJsonl, Workspace } from '../helpers/workspace.ts';

let model: HttpModel;
let redis: TcpRedis;
let open: Workspace[] = [];
let configs = 0;

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

const EMAIL = 'jane.doe@example.com';
const PHONE = '+49 170 1234567';
const CARD = '4111 1111 1111 1111';
const STAFF = 'EMP-123456';
const VALUES = [EMAIL, PHONE, CARD, STAFF];
const TEXT = `${EMAIL} wrote to ${STAFF} about ${CARD} and ${PHONE}, then to ${EMAIL} again.`;

interface Policies {
  readonly cloud?: string;
  readonly own?: string;
  readonly workflow?: string;
  readonly cascade?: string;
}

function config({ cloud = '{ redact: true }', own = '{ location: local }', workflow = '', cascade }: Policies = {}) {
  configs += 1;
  return `
redis: ${redis.url}
redisPrefix: privacy-${process.pid}-${configs}
redaction: { patterns: { staff: 'EMP-\\d{4,8}' } }
providers:
  cloud: { kind: openai, baseUrl: "${model.url}", dataPolicy: ${cloud} }
  own: { kind: openai, baseUrl: "${model.url}", dataPolicy: ${own} }
models:
  small: { provider: cloud, id: small-2026-01-01, price: { inputPerMillion: 0.15, outputPerMillion: 0.60 } }
  house: { provider: own, id: large-2026-01-01, price: { inputPerMillion: 2.50, outputPerMillion: 10.00 } }
workflows:
  digest:
    task: summarize
    summary: { maxWords: 40 }
    cascade: ${cascade ?? '[{ model: small }]'}
    ${workflow}
`;
}

async function workspaceWith(yaml: string, texts: readonly string[]): Promise<Workspace> {
  const docs = toJsonl(texts.map((text, index) => ({ id: `d${index}`, text })));
  const workspace = await Workspace.make({ 'nightmill.yaml': yaml, 'docs.jsonl': docs });
  open.push(workspace);
  return workspace;
}

async function run(yaml: string, texts: readonly string[], code = 0): Promise<Output & { readonly stderr: string }> {
  const workspace = await workspaceWith(yaml, texts);
  const finished = await workspace.run(['run', 'docs.jsonl', '-w', 'digest', '-o', 'out']);
  expect(finished, finished.stderr).toMatchObject({ code });
  const output = await workspace.readOutput('out');
  expectBalanced(
    output,
    texts.map((_, index) => `d${index}`),
  );
  return { ...output, stderr: finished.stderr };
}

interface Counted {
  readonly rejections: Readonly<Record<string, { readonly count: number; readonly costUsd: number }>>;
  readonly redactions: Readonly<Record<string, number>>;
}

const countedIn = ({ manifest }: Output) => manifest as unknown as Counted;
const sentTo = (id: string) =>
  model.calls.filter(({ body }) => body.model === id).map(({ body }) => JSON.stringify(body));
const summaryOf = (call: ModelCall, summary: string) => ({ ...goodAnswer(call), content: JSON.stringify({ summary }) });

describe('a provider with dataPolicy.redact', () => {
  it('never sees the values; the rows have them, and the manifest counts them', async () => {
    const other = `Nothing to hide, but [EMAIL_1] stands here as text.`;
    const output = await run(config(), [TEXT, other]);
    const sent = sentTo('small-2026-01-01');
    expect(sent).toHaveLength(2);
    for (const value of VALUES) expect(sent.join('\n')).not.toContain(value);
    expect(sent.join('\n')).toContain(
      '[EMAIL_1] wrote to [STAFF_1] about [CARD_1] and [PHONE_1], then to [EMAIL_1] again.',
    );
    expect(output.results.map(({ result }) => result?.summary)).toEqual([
      `${EMAIL} wrote to ${STAFF} about ${CARD} and ${PHONE},`,
      'Nothing to hide, but [EMAIL_1] stands here as',
    ]);
    expect(countedIn(output).redactions).toEqual({ email: 2, staff: 1, card: 1, phone: 1 });
    for (const value of VALUES) expect(output.stderr).not.toContain(value);
  });

  it('sees placeholders only in repair turns too, and a tier on an own server sees the text as it is', async () => {
    model.answer = (call) =>
      call.body.model === 'small-2026-01-01'
        ? summaryOf(call, 'Here is a summary: [EMAIL_1] paid with [CARD_1].')
        : summaryOf(call, `${EMAIL} paid with ${CARD}.`);
    const output = await run(config({ cascade: '[{ model: small }, { model: house }]' }), [TEXT]);
    const cloud = sentTo('small-2026-01-01');
    expect(cloud).toHaveLength(2);
    for (const value of VALUES) expect(cloud.join('\n')).not.toContain(value);
    expect(cloud[1]).toContain('Here is a summary: [EMAIL_1] paid with [CARD_1].');
    expect(sentTo('large-2026-01-01').join('\n')).toContain(TEXT);
    expect(output.results[0]).toMatchObject({ tier: 1, result: { summary: `${EMAIL} paid with ${CARD}.` } });
    const { preamble } = countedIn(output).rejections;
    expect(preamble?.count).toBe(2);
    const cloudBill = model.calls.filter(({ body }) => body.model === 'small-2026-01-01');
    expect(usdToNano(preamble?.costUsd ?? 0)).toBe(cloudBill.reduce((sum, { costNano }) => sum + costNano, 0));
    expect(usdToNano(preamble?.costUsd ?? 0)).toBeLessThan(costOf(output.results));
  });

  it('has a changed placeholder restored, and an invented one turned down', async () => {
    model.answer = (call) => summaryOf(call, 'Ask [email 1] or EMAIL_1.');
    expect((await run(config(), [TEXT])).results[0]?.result?.summary).toBe(`Ask ${EMAIL} or ${EMAIL}.`);
    model.answer = (call) => summaryOf(call, 'Ask [EMAIL_7].');
    const output = await run(config(), [TEXT], 4);
    expect(output.errors[0]).toMatchObject({ status: 'failed', error: { code: 'placeholder_unknown' } });
    expect(countedIn(output).rejections).toMatchObject({ placeholder_unknown: { count: 2 } });
  });

  it('hides only the kinds that are listed', async () => {
    await run(config({ cloud: '{ redact: [phone] }' }), [TEXT]);
    const sent = sentTo('small-2026-01-01').join('\n');
    expect(sent).not.toContain(PHONE);
    expect(sent).toContain(EMAIL);
  });

  it('is sent all parts of a long document with the same placeholders', async () => {
    const long = Array.from({ length: 400 }, (_, index) => `In week ${index} ${EMAIL} met a${index % 7}@example.com.`);
    await run(config({ workflow: 'parts: { maxTokens: 1000 }' }), [long.join(' ')]);
    const sent = sentTo('small-2026-01-01');
    expect(sent.length).toBeGreaterThan(4);
    expect(sent.join('\n')).not.toMatch(/@example\.com/);
    const parts = sent.filter((body) => body.includes('In week'));
    for (const body of parts) expect(body).toContain('[EMAIL_1] met [EMAIL_');
  });
});

describe('a private workflow', () => {
  it('is refused with a provider that is not declared local', async () => {
    const yaml = config({ workflow: 'private: true', cascade: '[{ model: house }, { model: small }]' });
    const workspace = await workspaceWith(yaml, [TEXT]);
    const finished = await workspace.run(['run', 'docs.jsonl', '-w', 'digest', '-o', 'out']);
    expect(finished.code).toBe(2);
    expect(finished.stderr).toContain('workflows.digest.cascade.1: the workflow is private');
    expect(finished.stderr).toContain('providers.cloud.dataPolicy: { location: local }');
    expect(model.calls).toHaveLength(0);
  });

  it('runs with the built-in model and a server that is declared local', async () => {
    const house = config({ workflow: 'private: true', cascade: '[{ model: house }]' });
    expect((await run(house, [TEXT])).results[0]?.result?.summary).toContain(EMAIL);
    expect(model.calls).toHaveLength(1);
    await run(config({ workflow: 'private: true', cascade: '[{ model: local }]' }), [TEXT]);
    expect(model.calls).toHaveLength(1);
  });

  it('sends nothing where a worker’s config has the provider elsewhere by then, and waits for one that has it', async () => {
    const yaml = config({ workflow: 'private: true', cascade: '[{ model: house }]' });
    const workspace = await workspaceWith(yaml, [TEXT]);
    expect((await workspace.run(['submit', 'docs.jsonl', '-w', 'digest', '--id', 'p1'])).code).toBe(0);
    await workspace.write(
      'nightmill.yaml',
      yaml.replace('{ location: local }', '{ redact: true }').replace('private: true', ''),
    );
    const worker = await workspace.startWorker();
    await worker.prints(/the workflow is private, and its config.*slice:deferred/);
    expect((await workspace.run(['status', 'p1'])).stdout).toMatch(
      /left out {3}worker .+ does not declare "own" local/,
    );
    expect(model.calls).toHaveLength(0);
    worker.kill('SIGTERM');
    await worker.exited;
    await workspace.write('nightmill.yaml', yaml);
    await workspace.startWorker();
    await workspace.statusWhen('p1', ({ state }) => state === 'completed');
    await workspace.run(['results', 'p1', '-o', 'out']);
    expect((await workspace.readOutput('out')).errors).toEqual([]);
  });
});

describe('the checks of a summary', () => {
  it('cost one repair turn, then the next tier, and each code has its count and its cost', async () => {
    const answers = new Map([
      ['small-2026-01-01', ['The bill was 99 dollars.', 'Top secret stuff.']],
      ['large-2026-01-01', ['The bill was 12 dollars.']],
    ]);
    model.answer = (call) => summaryOf(call, answers.get(call.body.model)?.shift() ?? 'none left');
    const yaml = config({
      cascade: '[{ model: small }, { model: house }]',
      workflow: 'checks: { forbidden: [top secret] }',
    });
    const output = await run(yaml, ['They paid twelve dollars for it.']);
    expect(output.results[0]?.result?.summary).toBe('The bill was 12 dollars.');
    const { rejections } = countedIn(output);
    expect(Object.entries(rejections).map(([code, { count }]) => [code, count])).toEqual([
      ['numbers_not_found', 1],
      ['forbidden_text', 1],
    ]);
    const costs = Object.values(rejections).map(({ costUsd }) => usdToNano(costUsd));
    expect(costs).toEqual(model.calls.slice(0, 2).map(({ costNano }) => costNano));
  });

  it('that are turned off turn nothing down', async () => {
    model.answer = (call) => summaryOf(call, 'Summary: the bill was 99 dollars.');
    const yaml = config({ workflow: 'checks: { numbers: false, preamble: false }' });
    expect((await run(yaml, ['They paid twelve dollars for it.'])).results).toHaveLength(1);
  });
});
