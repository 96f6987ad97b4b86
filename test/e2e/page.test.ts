import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { readPageFiles } from '../../src/adapters/page-files/page-files.ts';
import { ALL_TESTS } from '../helpers/all-tests.ts';
import { HttpModel } from '../helpers/http-model.ts';
import { programFiles } from '../helpers/program.ts';
import { startServe } from '../helpers/serve.ts';
import { startTcpRedis } from '../helpers/tcp-redis.ts';
import { configYaml, makeDocuments, toJsonl, Workspace } from '../helpers/workspace.ts';

const CHROMIUM = '/usr/bin/chromium';
const missing = !existsSync(CHROMIUM);
if (missing) console.warn(`test/e2e/page.test.ts is skipped: there is no ${CHROMIUM} (apt-get install chromium)`);
// A browser, a server and a bundler on machines that may be busy.
vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });

const HOSTILE_ID = '</script><script>window.executed = true</script>';
const documents = makeDocuments(30).map((document, index) =>
  index === 3 ? { ...document, id: HOSTILE_ID } : document,
);
const GOOD = { content: '{"label":"billing","confidence":0.9}' };
const EVIDENCE = {
  candidate: { mode: 'shadow', documents: 40, better: 3, worse: 9, stoppedAt: '2026-03-01T04:12:00.000Z' },
  audit: { samples: 50, errors: 7, alarmAt: '2026-03-01T04:12:00.000Z' },
};
const POWER = [{ provider: 'gpu', state: 'off', since: null, seconds: 150, costUsd: 0.05 }];
const SERVERS = [
  { provider: 'gpu', seconds: 750, costUsd: 0.25, idle: { seconds: 60, costUsd: 0.02 } },
  { provider: 'old', seconds: 60, costUsd: null, idle: { seconds: 0, costUsd: null } },
];
const WAIT = { timeout: 60_000 };
const WIDTHS = [360, 768, 1280];
const SCHEMES = ['light', 'dark'] as const;
/** Each view, and a text that it shows when it is there. */
const VIEWS = [
  ['', 'To resume:'],
  ['batches', 'on this page'],
  ['batches/done', HOSTILE_ID],
  ['batches/stopped', 'To resume:'],
  ['money', 'global/day'],
  ['queues', 'nightmill.finalize'],
  ['queues/triage', 'Tried again later'],
  ['audit', 'batch:submit'],
  ['webhooks', 'delivered'],
  ['keys', 'night-shift'],
] as const;

let model: HttpModel;
let browser: Browser;
let workspace: Workspace;
/** Of the server that all tests but the last share, each with batches of its own. */
let url: string;

/** Builds the page once for the servers of this file, as each would from the sources. */
async function buildPage(): Promise<void> {
  const { page } = programFiles();
  if (page === undefined) return;
  for (const { path, text } of await readPageFiles()) {
    await mkdir(dirname(join(page, path)), { recursive: true });
    await writeFile(join(page, path), text);
  }
}

/** A page, and what its console has complained of. */
async function openPage(context: BrowserContext): Promise<{ page: Page; complaints: string[] }> {
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT.timeout);
  const complaints: string[] = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  return { page, complaints };
}

async function submit(page: Page, { id, limit }: { readonly id: string; readonly limit: string }): Promise<void> {
  await page.getByRole('button', { name: 'New batch' }).click();
  const buffer = Buffer.from(toJsonl(documents));
  await page.getByLabel('Documents', { exact: true }).setInputFiles({ name: 'docs.jsonl', mimeType: '', buffer });
  await page.getByLabel('Workflow').last().selectOption('triage');
  await page.getByText('Id, tenant, columns').click();
  await page.getByLabel('Id of the batch').fill(id);
  await page.getByLabel('Limit in dollars').fill(limit);
  await page.getByText('worst case').waitFor();
  await page.getByRole('button', { name: 'Submit 30 documents' }).click();
  await page.getByRole('heading', { name: `Batch ${id}` }).waitFor();
}

describe.skipIf(missing)('the page', () => {
  beforeAll(async () => {
    await buildPage();
    model = await HttpModel.start();
    const more = 'budget: { day: 5 }\nalerts: { webhooks: [{ kind: exec, command: [/bin/true] }] }';
    workspace = await Workspace.make({ 'nightmill.yaml': configYaml({ url: model.url, more }) });
    [browser, { url }] = await Promise.all([
      chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] }),
      startServe(workspace),
    ]);
  });
  beforeEach(() => model.reset());
  afterAll(async () => {
    await browser?.close();
    await workspace?.[Symbol.asyncDispose]();
    await model?.[Symbol.asyncDispose]();
  });

  it('submits a file, tells of a breach, continues when the limit is raised, downloads, and asks again what failed', async () => {
    model.answer = ({ document }) => (document.includes('Ticket 3:') ? { content: 'no idea' } : GOOD);
    await using context = await browser.newContext({ acceptDownloads: true });
    const { page, complaints } = await openPage(context);
    await page.goto(url);
    await page.getByText('Nothing has stopped.').waitFor();
    await page.getByText('live', { exact: true }).waitFor();

    await submit(page, { id: 'night', limit: '0.0003' });
    const breaker = page.getByRole('region', { name: 'breaker' });
    await breaker.getByText('To resume: Raise the limit of batch:night.').waitFor();
    await page.getByText('of 30').first().waitFor();
    await breaker.getByRole('button', { name: 'Change limit' }).click();
    await page.getByLabel('New limit in dollars').fill('2');
    await page.getByRole('button', { name: 'Set limit', exact: true }).click();

    await page.getByText('completed, 1 failed').waitFor();
    await page.getByRole('rowheader', { name: HOSTILE_ID }).waitFor();
    expect(await page.evaluate('window.executed')).toBeUndefined();
    const downloading = page.waitForEvent('download');
    await page.getByRole('link', { name: 'results.jsonl' }).click();
    const rows = (await readFile(await (await downloading).path(), 'utf8')).trimEnd().split('\n');
    expect(rows).toHaveLength(29);

    model.answer = () => GOOD;
    await page.getByRole('button', { name: /^Retry / }).click();
    await page.getByRole('heading', { name: 'Batch night.retry-1' }).waitFor();
    await page.getByText('✓ completed').waitFor();
    await page.getByRole('link', { name: 'night', exact: true }).click();
    await page.getByText('✓ completed').waitFor();
    expect(await page.getByText('Not answered').count()).toBe(0);
    await page.getByRole('link', { name: 'Audit' }).click();
    await page.getByRole('rowheader', { name: 'budget:set' }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('makes a key, shows its secret once, and revokes it', async () => {
    await using context = await browser.newContext();
    const { page, complaints } = await openPage(context);
    await page.goto(`${url}/#/keys`);
    await page.getByText('There are no keys').waitFor();
    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByLabel('Name').fill('anna');
    await page.getByLabel('Until (optional)').fill('90d');
    await page.getByRole('button', { name: 'Make key' }).click();
    const secret = (await page.locator('dialog code').textContent()) ?? '';
    expect(secret).toMatch(/^nm_/);
    const ask = async () => {
      const { status } = await fetch(`${url}/api/v1/batches`, { headers: { authorization: `Bearer ${secret}` } });
      return status;
    };
    expect(await ask()).toBe(200);
    await page.keyboard.press('Escape');
    await page.getByRole('rowheader', { name: 'anna' }).waitFor();
    // The dialog closes in its own time.
    await expect.poll(() => page.locator('main').textContent()).not.toContain(secret);
    await page.getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('revoked').waitFor();
    expect(await ask()).toBe(401);
    expect(complaints).toEqual([]);
  });

  it.runIf(ALL_TESTS)(
    'has nothing that axe finds serious or critical in either theme, and scrolls sideways at no width',
    async () => {
      model.answer = ({ document }) => (document.includes('Ticket 3:') ? { content: 'no idea' } : GOOD);
      await post('keys', 'application/json', '{"name":"night-shift"}');
      await post('batches?workflow=triage&id=done&budgetUsd=2', 'application/x-ndjson', toJsonl(documents));
      await post('batches?workflow=triage&id=stopped&budgetUsd=0.0003', 'application/x-ndjson', toJsonl(documents));
      await reaches('done', 'completed');
      await reaches('stopped', 'paused');
      await using context = await browser.newContext();
      const { page } = await openPage(context);
      await page.route('**/api/v1/batches/done', async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, json: { ...(await response.json()), evidence: EVIDENCE, power: POWER } });
      });
      await page.route(/\/api\/v1\/report\?/, async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, json: { ...(await response.json()), servers: SERVERS } });
      });
      const found: string[] = [];
      for (const [path, shown] of VIEWS) {
        await page.goto(`${url}/#/${path}`);
        await page.getByText(shown).first().waitFor();
        if (path === 'batches/done') await showsEvidence(page);
        if (path === 'money') await page.getByText('12.5 min', { exact: true }).waitFor();
        found.push(...(await faultsOf(page, `/${path}`)));
      }
      await page.setViewportSize({ width: 360, height: 800 });
      await page.getByRole('button', { name: 'New batch' }).click();
      await page.getByText('Or drop files anywhere').waitFor();
      found.push(...(await faultsOf(page, 'the dialog')));
      expect(found).toEqual([]);
    },
  );

  it('asks for a key where one is needed, keeps it for the tab only, and sends it with everything', async () => {
    await using redis = await startTcpRedis();
    await using keyed = await Workspace.make({
      'nightmill.yaml': configYaml({ url: model.url, redis: redis.url }),
    });
    const { secret } = await keyed.json<{ secret: string }>(['key', 'create', '--name', 'me', '--rights', 'operate']);
    model.answer = () => GOOD;
    const { url: address } = await startServe(keyed, '--host', '0.0.0.0');
    await using context = await browser.newContext({ acceptDownloads: true });
    const { page } = await openPage(context);
    const response = await page.goto(address);
    expect(response?.headers()['content-security-policy']).toContain("default-src 'none'");
    await page.getByLabel('Key', { exact: true }).fill(`nm_${'A'.repeat(43)}`);
    await page.getByRole('button', { name: 'Use key' }).click();
    await page.getByText(/not known/).waitFor();
    await page.getByLabel('Key', { exact: true }).fill(secret);
    await page.getByRole('button', { name: 'Use key' }).click();
    await page.getByText('Nothing has stopped.').waitFor();
    await page.getByText('live', { exact: true }).waitFor();
    await submit(page, { id: 'keyed', limit: '2' });
    await page.getByText('✓ completed').waitFor();
    const downloading = page.waitForEvent('download');
    await page.getByRole('button', { name: 'results.jsonl' }).click();
    expect((await downloading).suggestedFilename()).toBe('keyed-results.jsonl');
    const other = await context.newPage();
    await other.goto(address);
    await other.getByLabel('Key', { exact: true }).waitFor(WAIT);
    expect(await other.evaluate('localStorage.length')).toBe(0);
  });
});

async function post(path: string, type: string, body: string): Promise<void> {
  const { ok } = await fetch(`${url}/api/v1/${path}`, { method: 'POST', headers: { 'content-type': type }, body });
  expect(ok, path).toBe(true);
}

/** Waits until the batch is in the state. */
async function reaches(batch: string, state: string): Promise<void> {
  const read = async () => (await (await fetch(`${url}/api/v1/batches/${batch}`)).json()) as { state: string };
  while ((await read()).state !== state) await delay(50);
}

/** On the view of the batch `done`: what its evidence and its server say, and answers to judge. */
async function showsEvidence(page: Page): Promise<void> {
  await page.getByText('right alone in 3').waitFor();
  await page.getByText('the last tier answers everything').waitFor();
  await page.getByText('server gpu, beside what is spent').waitFor();
  await page.getByText('2.5 min, $0.05').waitFor();
  expect(await page.getByRole('region', { name: 'models' }).textContent()).toMatch(/\d m?s/);
  await page.getByRole('button', { name: 'Look at 20 answers' }).click();
  await page
    .getByLabel(/^right answer for/)
    .first()
    .waitFor();
}

/** What is wrong with the view that is shown, at every width. */
async function faultsOf(page: Page, name: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 800 });
    const isWide = await page.evaluate('document.documentElement.scrollWidth > innerWidth');
    if (isWide === true) found.push(`scrolls sideways on ${name} at ${width}`);
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme });
      found.push(...(await violations(page)).map((id) => `${id} on ${name}, ${colorScheme}, ${width}`));
    }
  }
  return found;
}

async function violations(page: Page): Promise<readonly string[]> {
  const { violations: all } = await new AxeBuilder({ page })
    .options({ resultTypes: ['violations'] })
    .setLegacyMode()
    .analyze();
  return all
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}
