import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { makeDocuments, type StatusJson, toJsonl, Workspace } from '../helpers/workspace.ts';

interface PlanJson {
  readonly costUsd: { readonly expected: number };
  readonly history: { readonly batches: number; readonly reason?: string };
}

interface ReconcileJson {
  readonly explained: boolean;
  readonly total: {
    readonly explainedUsd: number;
    readonly unexplainedUsd: number;
    readonly theirs: { calls: number };
  };
}

async function workspace(): Promise<Workspace> {
  const made = await Workspace.make({ 'docs.jsonl': toJsonl(makeDocuments(120)) });
  onTestFinished(() => made[Symbol.asyncDispose]());
  return made;
}

/** A receiver of webhooks. */
async function receiver() {
  const alerts: { readonly level: string; readonly scope: string }[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      alerts.push(JSON.parse(body));
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { alerts, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret-hook` };
}

function config(simulatorUrl: string): string {
  return `
providers: { acme: { kind: openai, baseUrl: "${simulatorUrl}" } }
models:
  small: { provider: acme, id: small-2026-01-01, price: { inputPerMillion: 0.15, cachedInputPerMillion: 0.075, outputPerMillion: 0.60 } }
workflows:
  triage: { task: classify, labels: { bug: "Something is broken", billing: "Questions about invoices" }, cascade: [{ model: small }] }
alerts: { webhooks: [{ kind: generic, url: "\${HOOK}" }] }
`;
}

it('a simulated provider, its bill, the alerts of a run and the plan of the next one fit together', async () => {
  const open = await workspace();
  const { alerts, url: hook } = await receiver();
  const env = { HOOK: hook };
  const flags = ['--bill', 'bill.jsonl', '--token-counting', 'bytes/4', '--fault', 'resetAfterBilling=0.1'];
  const simulator = open.start(['simulate', ...flags]);
  await simulator.prints(/listens at/);
  const { url } = JSON.parse(simulator.stdout.split('\n')[0] ?? '') as { url: string };
  await open.write('nightmill.yaml', config(url));

  const plan = ['plan', 'docs.jsonl', '-w', 'triage', '--json'];
  const before = JSON.parse((await open.run(plan, { env })).stdout) as PlanJson;
  expect(before.history).toEqual({ batches: 0, reason: 'no server runs in .nightmill' });

  // A server that outlives the commands, so that the last plan finds it.
  const worker = open.start(['worker'], { env });
  await worker.prints(/worker:started/);
  const stopped = await open.run(
    ['run', 'docs.jsonl', '-w', 'triage', '-o', 'out', '--id', 'b1', '--budget', '0.001', '--json'],
    { env },
  );
  expect(stopped.code, stopped.stderr).toBe(3);
  const status = JSON.parse(stopped.stdout) as StatusJson;
  expect(status.breaker.state).toBe('open');
  const reached = () => alerts.filter(({ scope, level }) => scope === 'batch:b1' && level === '100%').length;
  await expect.poll(reached).toBe(1);
  expect(`${stopped.stderr}${worker.stderr}`).toContain('budget:alert');
  expect(`${stopped.stderr}${worker.stderr}`).not.toContain('secret-hook');

  const done = await open.run(
    ['run', 'docs.jsonl', '-w', 'triage', '-o', 'out', '--id', 'b1', '--budget', '1', '--json'],
    { env },
  );
  expect(done.code, done.stderr).toBe(0);
  const after = JSON.parse((await open.run(plan, { env })).stdout) as PlanJson;
  expect(after.history).toEqual({ batches: 1 });
  // By history the plan expects what the batch has cost, uncertain calls included.
  expect(after.costUsd.expected).toBeCloseTo((JSON.parse(done.stdout) as StatusJson).spentUsd, 8);

  const reconcile = await open.run(['reconcile', '--bill', 'bill.jsonl', '--json'], { env });
  const report = JSON.parse(reconcile.stdout) as ReconcileJson;
  expect(report).toMatchObject({ explained: true, total: { unexplainedUsd: 0 } });
  expect(report.total.explainedUsd).toBeGreaterThan(0);
  expect(reconcile.code).toBe(0);

  simulator.kill('SIGINT');
  const ended = await simulator.exited;
  expect(ended.code).toBe(0);
  const totals = JSON.parse(ended.stdout.split('\n')[1] ?? '') as { calls: number };
  expect(totals.calls).toBe(report.total.theirs.calls);

  await open.write('other.csv', 'model,cost_usd\nsmall-2026-01-01,5.00\n');
  const other = await open.run(['reconcile', '--bill', 'other.csv', '--batch', 'b1'], { env });
  expect(other.code).toBe(1);
  expect(other.stdout).toContain('NOT explained');
});

it('simulate needs no config, explains itself and names what is wrong with its options', async () => {
  const open = await workspace();
  await open.write('nightmill.yaml', 'no: config');
  const help = await open.run(['simulate', '--help']);
  expect(help.code).toBe(0);
  expect(help.stdout).toMatch(/--bill <file>[\s\S]*resetAfterBilling[\s\S]*Examples:/);
  const refusals = [
    [['--port', 'x'], '--port: must be a number'],
    [['--fault', 'nope=1'], 'faults.nope: unknown'],
    [['--options', 'none.json'], 'cannot read none.json as JSON'],
    [['--bogus'], "unknown option '--bogus'"],
  ] as const;
  await Promise.all(
    refusals.map(async ([flags, message]) => {
      const refused = await open.run(['simulate', ...flags]);
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain(message);
    }),
  );
});
