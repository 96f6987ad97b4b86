import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ALL_TESTS } from '../helpers/all-tests.ts';
import { HttpModel } from '../helpers/http-model.ts';
import { startTcpRedis } from '../helpers/tcp-redis.ts';
import { configYaml, makeDocuments, toJsonl, Workspace } from '../helpers/workspace.ts';

const CHROMIUM = '/usr/bin/chromium';
const missing = !existsSync(CHROMIUM);
if (missing) console.warn(`test/e2e/page.test.ts is skipped: there is no ${CHROMIUM} (apt-get install chromium)`);
// A browser, a server and a bundler on machines that may be busy.
vi.setConfig({ testTimeout: 400_000 });

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

/** Axe, which takes a second, looks at each view once in each theme, and so in the narrowest and the widest layout. */
const looksAt = (scheme: 'light' | 'dark', width: number) => ALL_TESTS || width === (scheme === 'light' ? 1280 : 360);

let model: HttpModel;
let browser: Browser;

async function serve(workspace: Workspace, ...args: string[]): Promise<string> {
  const cli = workspace.start(['serve', '--port', '0', ...args]);
  await cli.prints(/serving on http\S+/);
  return (/serving on (http[^\s,"]+)/.exec(cli.stderr)?.[1] ?? '').replace('0.0.0.0', '127.0.0.1');
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
    model = await HttpModel.start();
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  });
  beforeEach(() => model.reset());
  afterAll(async () => {
    await browser?.close();
    await model?.[Symbol.asyncDispose]();
  });

  it('submits a file, tells of a breach, continues when the limit is raised, downloads, and asks again what failed', async () => {
    await using workspace = await Workspace.make({ 'nightmill.yaml': configYaml({ url: model.url }) });
    model.answer = ({ document }) => (document.includes('Ticket 3:') ? { content: 'no idea' } : GOOD);
    const url = await serve(workspace);
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

  it('has nothing that axe finds serious or critical, in both themes and three widths', async () => {
    await using workspace = await Workspace.make({
      'nightmill.yaml': configYaml({
        url: model.url,
        more: 'budget: { day: 5 }\nalerts: { webhooks: [{ kind: exec, command: [/bin/true] }] }',
      }),
    });
    model.answer = ({ document }) => (document.includes('Ticket 3:') ? { content: 'no idea' } : GOOD);
    const url = await serve(workspace);
    const post = (id: string, budget: string) =>
      fetch(`${url}/api/v1/batches?workflow=triage&id=${id}&budgetUsd=${budget}`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body: toJsonl(documents),
      });
    await fetch(`${url}/api/v1/keys`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"name":"night-shift"}',
    });
    await post('done', '2');
    await post('stopped', '0.0003');
    await workspace.statusWhen('done', ({ state }) => state === 'completed');
    await workspace.statusWhen('stopped', ({ state }) => state === 'paused');
    const found: unknown[] = [];
    for (const colorScheme of ['light', 'dark'] as const) {
      await using context = await browser.newContext({ colorScheme });
      const { page } = await openPage(context);
      await page.route('**/api/v1/batches/done', async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, json: { ...(await response.json()), evidence: EVIDENCE, power: POWER } });
      });
      await page.route(/\/api\/v1\/report\?/, async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, json: { ...(await response.json()), servers: SERVERS } });
      });
      for (const width of WIDTHS) {
        const isLooked = looksAt(colorScheme, width);
        // How wide a view is has nothing to do with colours.
        if (!isLooked && colorScheme === 'dark') continue;
        await page.setViewportSize({ width, height: 800 });
        for (const [path, shown] of [
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
        ]) {
          await page.goto(`${url}/#/${path}`);
          await page
            .getByText(shown ?? '')
            .first()
            .waitFor();
          if (path === 'batches/done') {
            await page.getByRole('button', { name: 'Look at 20 answers' }).click();
            await page
              .getByLabel(/^right answer for/)
              .first()
              .waitFor();
          }
          if (path === 'money') await page.getByText('12.5 min', { exact: true }).waitFor();
          if (isLooked)
            found.push(...(await violations(page)).map((id) => `${id} on /${path}, ${colorScheme}, ${width}`));
          const wide = await page.evaluate('document.documentElement.scrollWidth > innerWidth');
          if (wide === true) found.push(`scrolls sideways on /${path} at ${width}`);
        }
        await page.getByRole('button', { name: 'New batch' }).click();
        await page.getByText('Or drop files anywhere').waitFor();
        if (isLooked)
          found.push(...(await violations(page)).map((id) => `${id} in the dialog, ${colorScheme}, ${width}`));
        await page.keyboard.press('Escape');
      }
      await page.goto(`${url}/#/batches/done`);
      await page.getByText('right alone in 3').waitFor();
      await page.getByText('the last tier answers everything').waitFor();
      await page.getByText('server gpu, beside what is spent').waitFor();
      await page.getByText('2.5 min, $0.05').waitFor();
      expect(await page.getByRole('region', { name: 'models' }).textContent()).toMatch(/\d m?s/);
    }
    expect(found).toEqual([]);
  });

  it('makes a key, shows its secret once, and revokes it', async () => {
    await using workspace = await Workspace.make({ 'nightmill.yaml': configYaml({ url: model.url }) });
    const url = await serve(workspace);
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
    expect(await page.locator('main').textContent()).not.toContain(secret);
    await page.getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('revoked').waitFor();
    expect(await ask()).toBe(401);
    expect(complaints).toEqual([]);
  });

  it('asks for a key where one is needed, keeps it for the tab only, and sends it with everything', async () => {
    await using redis = await startTcpRedis();
    await using workspace = await Workspace.make({
      'nightmill.yaml': configYaml({ url: model.url, redis: redis.url }),
    });
    const { secret } = await workspace.json<{ secret: string }>([
      'key',
      'create',
      '--name',
      'me',
      '--rights',
      'operate',
    ]);
    model.answer = () => GOOD;
    const url = await serve(workspace, '--host', '0.0.0.0');
    await using context = await browser.newContext({ acceptDownloads: true });
    const { page } = await openPage(context);
    const response = await page.goto(url);
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
    await other.goto(url);
    await other.getByLabel('Key', { exact: true }).waitFor(WAIT);
    expect(await other.evaluate('localStorage.length')).toBe(0);
  });
});

async function violations(page: Page): Promise<readonly string[]> {
  const { violations: all } = await new AxeBuilder({ page })
    .options({ resultTypes: ['violations'] })
    .setLegacyMode()
    .analyze();
  return all
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}
