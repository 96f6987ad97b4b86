import { describe, expect, it } from 'vitest';
import type { BillLine } from '../../src/simulator/bill.ts';
import type { FaultRates, SimulatorOptions } from '../../src/simulator/options.ts';
import { startSimulator } from '../../src/simulator/start-simulator.ts';
import {
  classify,
  completionOf,
  connectionErrorOf,
  contentOf,
  control,
  errorOf,
  PLAIN_MODEL,
  post,
  QUICK,
} from './simulator-client.ts';

const start = (faults: FaultRates, more: SimulatorOptions = {}) => startSimulator({ ...QUICK, ...more, faults });
const BODY = classify('The invoice is wrong.');
const AT_LAST = { timeout: 5000, interval: 10 };

describe('the faults of the simulator', () => {
  it('serverError answers 500 or 503 and bills nothing', async () => {
    await using simulator = await start({ serverError: 1 });
    const replies = await Promise.all(Array.from({ length: 20 }, (_, n) => post(simulator.url, classify(`Text ${n}`))));
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([500, 503]));
    expect(errorOf(replies[0]!).type).toBe('server_error');
    expect(simulator.totals()).toMatchObject({ calls: 0, faults: { serverError: 20 } });
  });

  it('rateLimited answers 429 with a time to wait and bills nothing', async () => {
    await using simulator = await start({ rateLimited: 1 });
    const reply = await post(simulator.url, BODY);
    expect([reply.status, errorOf(reply).code]).toEqual([429, 'rate_limit_exceeded']);
    expect([reply.headers.get('retry-after'), reply.headers.get('retry-after-ms')]).toEqual(['0.1', '100']);
    expect(simulator.totals()).toMatchObject({ calls: 0, faults: { rateLimited: 1 }, refusals: { requests: 0 } });
  });

  it('hang holds its place until the client leaves and is not billed', async () => {
    await using simulator = await start(
      { hang: 1 },
      { models: { plain: { ...PLAIN_MODEL, limits: { concurrency: 1 } } } },
    );
    const leave = new AbortController();
    const hung = post(simulator.url, BODY, { signal: leave.signal }).catch((error: Error) => error.name);
    await expect.poll(() => simulator.totals().faults.hang, AT_LAST).toBe(1);
    expect((await post(simulator.url, classify('Another text'))).status).toBe(429);
    expect(simulator.totals().refusals.concurrency).toBe(1);
    leave.abort();
    expect(await hung).toBe('AbortError');
    await control(simulator.url, '/faults', {});
    await expect.poll(async () => (await post(simulator.url, classify('Another text'))).status, AT_LAST).toBe(200);
    expect(simulator.bill()).toHaveLength(1);
  });

  it('hang is billed with hangBills', async () => {
    await using simulator = await start({ hang: 1 }, { hangBills: true });
    const hung = post(simulator.url, BODY, { signal: AbortSignal.timeout(200) });
    await expect(hung).rejects.toThrow('aborted due to timeout');
    expect(simulator.bill()).toMatchObject([{ fault: 'hang', inputTokens: expect.any(Number) }]);
  });

  it('resetAfterBilling breaks the connection after the bill is written', async () => {
    await using simulator = await start({ resetAfterBilling: 1 });
    expect(await connectionErrorOf(simulator.url, BODY)).toBe('ECONNRESET');
    expect(simulator.bill()).toMatchObject([{ seq: 1, model: 'plain', fault: 'resetAfterBilling' }]);
  });

  it('resetBeforeBilling breaks the connection and bills nothing', async () => {
    await using simulator = await start({ resetBeforeBilling: 1 });
    expect(await connectionErrorOf(simulator.url, BODY)).toBe('ECONNRESET');
    expect(simulator.totals()).toMatchObject({ calls: 0, faults: { resetBeforeBilling: 1 }, replies: { reset: 1 } });
  });

  it('garbage is a 200 that is no JSON, and billed', async () => {
    await using simulator = await start({ garbage: 1 });
    const reply = await post(simulator.url, BODY);
    expect(reply.status).toBe(200);
    expect(() => JSON.parse(reply.text)).toThrow(SyntaxError);
    expect(simulator.bill()).toMatchObject([{ fault: 'garbage' }]);
  });

  it('truncated is half of the reply with finish_reason length, and billed at that', async () => {
    await using simulator = await start({ truncated: 1 });
    const cut = completionOf(await post(simulator.url, BODY));
    await control(simulator.url, '/faults', {});
    const whole = completionOf(await post(simulator.url, BODY));
    expect(cut.choices[0]!.finish_reason).toBe('length');
    expect(cut.usage.completion_tokens).toBe(Math.floor(whole.usage.completion_tokens / 2));
    const half = cut.choices[0]!.message.content!;
    expect(whole.choices[0]!.message.content!.startsWith(half)).toBe(true);
    expect(half.length).toBeLessThan(whole.choices[0]!.message.content!.length);
    expect(simulator.bill()[0]).toMatchObject({ fault: 'truncated', outputTokens: cut.usage.completion_tokens });
  });

  it('wrongLabel is valid JSON with a label outside the enum, and billed', async () => {
    await using simulator = await start({ wrongLabel: 1 });
    const { label } = JSON.parse(contentOf(await post(simulator.url, BODY))) as { label: string };
    expect(['billing', 'bug', 'other']).not.toContain(label);
    expect(simulator.bill()).toMatchObject([{ fault: 'wrongLabel' }]);
  });

  it('badJson is prose, another shape or broken JSON, and billed', async () => {
    await using simulator = await start({ badJson: 1 });
    const contents = await Promise.all(
      Array.from({ length: 30 }, async (_, n) => contentOf(await post(simulator.url, classify(`Text ${n}`)))),
    );
    const kinds = contents.map((content) =>
      content.startsWith('Sure') ? 'prose' : content.includes('unexpected') ? 'shape' : 'broken',
    );
    expect(new Set(kinds)).toEqual(new Set(['prose', 'shape', 'broken']));
    const broken = contents.filter((_, index) => kinds[index] === 'broken');
    for (const content of broken) expect(() => JSON.parse(content)).toThrow(SyntaxError);
    expect(simulator.totals()).toMatchObject({ calls: 30, faults: { badJson: 30 } });
  });

  it('wrongLabel and badJson leave a plain text reply alone', async () => {
    await using simulator = await start({ wrongLabel: 0.5, badJson: 0.5 });
    await post(simulator.url, { model: 'plain', messages: [{ role: 'user', content: 'Some text.' }] });
    expect(simulator.totals()).toMatchObject({ calls: 1, faults: {} });
  });

  it('refusal has no content, says why, and is billed', async () => {
    await using simulator = await start({ refusal: 1 });
    const { choices } = completionOf(await post(simulator.url, BODY));
    expect(choices[0]!.message).toMatchObject({ content: null, refusal: expect.stringContaining("can't help") });
    expect(simulator.bill()).toMatchObject([{ fault: 'refusal' }]);
  });

  it('slow takes twenty times the latency', async () => {
    await using simulator = await start(
      { slow: 1 },
      { models: { plain: { ...PLAIN_MODEL, latency: { p50Ms: 20, p95Ms: 20 } } } },
    );
    const started = performance.now();
    expect((await post(simulator.url, BODY)).status).toBe(200);
    expect(performance.now() - started).toBeGreaterThanOrEqual(399);
    expect(simulator.bill()).toMatchObject([{ fault: 'slow' }]);
  });

  it('a call whose client leaves before the reply is billed as clientGone', async () => {
    await using simulator = await start(
      {},
      { models: { plain: { ...PLAIN_MODEL, latency: { p50Ms: 300, p95Ms: 300 } } } },
    );
    await expect(post(simulator.url, BODY, { signal: AbortSignal.timeout(50) })).rejects.toThrow('timeout');
    await expect.poll(() => simulator.bill(), AT_LAST).toMatchObject([{ fault: 'clientGone' }]);
  });

  it('blip answers one of five statuses and bills nothing', async () => {
    await using simulator = await start({ blip: 1 });
    const replies = await Promise.all(Array.from({ length: 60 }, (_, n) => post(simulator.url, classify(`Text ${n}`))));
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([401, 403, 404, 409, 424]));
    expect(simulator.totals()).toMatchObject({ calls: 0, faults: { blip: 60 } });
  });

  it('empty answers nothing and bills what was read', async () => {
    await using simulator = await start({ empty: 1 });
    const reply = completionOf(await post(simulator.url, BODY));
    expect(reply.choices[0]).toMatchObject({ message: { content: '' }, finish_reason: 'stop' });
    expect(simulator.bill()).toMatchObject([
      { fault: 'empty', outputTokens: 0, inputTokens: reply.usage.prompt_tokens },
    ]);
  });

  it('promptCut says and bills an eighth of the input', async () => {
    await using simulator = await start({ promptCut: 1 });
    const cut = completionOf(await post(simulator.url, BODY));
    await control(simulator.url, '/faults', {});
    const whole = completionOf(await post(simulator.url, BODY));
    expect(cut.usage.prompt_tokens).toBe(Math.ceil(whole.usage.prompt_tokens / 8));
    expect(simulator.bill()[0]).toMatchObject({ fault: 'promptCut', inputTokens: cut.usage.prompt_tokens });
  });

  it('a retry draws again, so that a fault of rate 0.5 passes after a few tries', async () => {
    await using simulator = await start({ serverError: 0.5 });
    for (const text of ['One', 'Two', 'Three', 'Four', 'Five', 'Six']) {
      let tries = 0;
      while ((await post(simulator.url, classify(text))).status !== 200) tries += 1;
      expect(tries).toBeLessThan(12);
    }
    expect(simulator.totals().faults.serverError).toBeGreaterThan(0);
    expect(simulator.totals().duplicates).toBe(0);
  });

  it('faults come at their rates', async () => {
    await using simulator = await start({ serverError: 0.1, refusal: 0.2 });
    await Promise.all(Array.from({ length: 400 }, (_, n) => post(simulator.url, classify(`Text ${n}`))));
    const { faults } = simulator.totals();
    expect(faults.serverError).toBeGreaterThan(24);
    expect(faults.serverError).toBeLessThan(56);
    expect(faults.refusal).toBeGreaterThan(60);
    expect(faults.refusal).toBeLessThan(100);
  });
});

describe('outages of the simulator', () => {
  it('POST /state makes the provider down, out of credit or unauthorized, and well again', async () => {
    await using simulator = await start({});
    await control(simulator.url, '/state', { down: true });
    expect(await connectionErrorOf(simulator.url, BODY)).toBe('ECONNRESET');
    await control(simulator.url, '/state', { outOfCredit: true });
    const broke = await post(simulator.url, BODY);
    expect([broke.status, errorOf(broke).code]).toEqual([429, 'insufficient_quota']);
    await control(simulator.url, '/state', { unauthorized: true });
    const denied = await post(simulator.url, BODY, { key: 'any' });
    expect([denied.status, errorOf(denied).code]).toEqual([401, 'invalid_api_key']);
    expect(await control<BillLine[]>(simulator.url, '/bill')).toEqual([]);
    await control(simulator.url, '/state', {});
    expect((await post(simulator.url, BODY)).status).toBe(200);
  });

  it('POST /faults and POST /state refuse what they do not know', async () => {
    await using simulator = await start({});
    const faults = await post(simulator.url, { hangs: 1 }, { path: '/../faults' });
    expect([faults.status, errorOf(faults).message]).toEqual([400, expect.stringContaining('faults.hangs: unknown')]);
    const state = await post(simulator.url, { down: 'yes' }, { path: '/../state' });
    expect([state.status, errorOf(state).message]).toEqual([400, expect.stringContaining('Cannot set down to "yes"')]);
  });
});
