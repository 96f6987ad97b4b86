import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { startSimulator } from '../../src/simulator/start-simulator.ts';
import { classify, contentOf, PLAIN_MODEL, post, QUICK } from './simulator-client.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'simulator-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

const run = (...flags: string[]) => spawn(process.execPath, ['workers/simulate.ts', ...flags]);

async function nextLine(child: ChildProcessWithoutNullStreams): Promise<string> {
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return line;
}

describe('workers/simulate.ts', () => {
  it('the process prints its URL, bills to its file, and prints its totals on SIGTERM', async () => {
    const options = join(folder, 'options.json');
    const billFile = join(folder, 'bill.jsonl');
    await writeFile(options, JSON.stringify({ ...QUICK, faults: { refusal: 1 } } satisfies SimulatorOptions));
    const child = run('--options', options, '--bill', billFile, '--fault', 'refusal=0', '--fault', 'garbage=1');
    const exit = once(child, 'exit');
    try {
      const { url } = JSON.parse(await nextLine(child)) as { url: string };
      expect((await post(url, classify('One'))).text).toContain('<html>');
      const totals = nextLine(child);
      child.kill('SIGTERM');
      expect(JSON.parse(await totals)).toMatchObject({ requests: 1, calls: 1, duplicates: 0, faults: { garbage: 1 } });
      expect(await exit).toEqual([0, null]);
      expect(JSON.parse(await readFile(billFile, 'utf8'))).toMatchObject({ seq: 1, fault: 'garbage' });
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('the process ends with code 2 and every problem when its options are wrong', async () => {
    const options = join(folder, 'wrong.json');
    const model = { price: { inputPerMillion: -1, outputPerMillion: 2 }, contextTokens: 0, colour: 'red' };
    await writeFile(options, JSON.stringify({ models: { plain: model }, faults: { hang: 0.8, slow: 0.5 } }));
    const child = run('--options', options, '--token-counting', 'words');
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk;
    });
    expect(await once(child, 'close')).toEqual([2, null]);
    for (const problem of [
      'tokenCounting: must be "exact" or "bytes/4", is "words"',
      'models.plain.price.inputPerMillion',
      'models.plain.contextTokens',
      'models.plain.colour: unknown',
      'faults: the rates add up to 1.3',
    ]) {
      expect(errors).toContain(problem);
    }
  });
});

describe('startSimulator()', () => {
  it('startSimulator() names the address that is taken and the fix', async () => {
    await using simulator = await startSimulator(QUICK);
    const port = Number(new URL(simulator.url).port);
    await expect(startSimulator({ ...QUICK, port })).rejects.toThrow(
      `cannot listen on 127.0.0.1:${port} (EADDRINUSE); use another port, or 0 for any free one`,
    );
  });

  it('close() answers calls in progress first and may be called twice', async () => {
    const models = { plain: { ...PLAIN_MODEL, latency: { p50Ms: 200, p95Ms: 200 } } };
    const simulator = await startSimulator({ ...QUICK, models });
    const pending = post(simulator.url, classify('One'));
    await expect.poll(() => simulator.totals().requests, { interval: 5 }).toBe(1);
    const closed = simulator.close();
    expect((await pending).status).toBe(200);
    await closed;
    await simulator.close();
    await expect(post(simulator.url, classify('Two'))).rejects.toThrow('fetch failed');
  });

  it("headers leave after firstByteMs, the body at the end of the call; a failure's leave with it", async () => {
    const latency = { p50Ms: 3_600_000, p95Ms: 3_600_000, firstByteMs: 1 };
    await using simulator = await startSimulator({ ...QUICK, models: { plain: { ...PLAIN_MODEL, latency } } });
    const response = await fetch(`${simulator.url}/chat/completions`, {
      method: 'POST',
      body: JSON.stringify(classify('One')),
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('x-request-id')).toMatch(/-0$/);
    expect(simulator.bill()).toEqual([]);
    await response.body?.cancel();

    const short = { p50Ms: 20, p95Ms: 20, firstByteMs: 1 };
    const models = { plain: { ...PLAIN_MODEL, latency: short } };
    await using quick = await startSimulator({ ...QUICK, models });
    expect(contentOf(await post(quick.url, classify('One')))).toContain('label');
    await using failing = await startSimulator({ ...QUICK, models, faults: { serverError: 1 } });
    expect((await post(failing.url, classify('One'))).status).toBeGreaterThanOrEqual(500);
  });

  it('close() breaks off calls that hang', async () => {
    const simulator = await startSimulator({ ...QUICK, faults: { hang: 1 } });
    const hung = post(simulator.url, classify('One')).catch((error: Error) => error.message);
    await expect.poll(() => simulator.totals().faults.hang, { interval: 5 }).toBe(1);
    await simulator.close();
    expect(await hung).toBe('fetch failed');
  });
});
