import { execFileSync } from 'node:child_process';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import { describe, expect, it } from 'vitest';
import { usdToNano } from '../../src/money/money.ts';
import { freePort } from '../helpers/free-port.ts';
import {
  type ConfigOptions,
  configYaml,
  expectBalanced,
  makeDocuments,
  toJsonl,
  Workspace,
} from '../helpers/workspace.ts';
import { modelAndRedis } from './model-and-redis.ts';

const { model, redis } = await modelAndRedis();

const documents = makeDocuments(24);
const RUN = ['run', 'docs.jsonl', '-w', 'triage', '-o', 'out'];

async function makeWorkspace(options: Partial<ConfigOptions> = {}): Promise<Workspace> {
  return await Workspace.make({
    'nightmill.yaml': configYaml({ url: model.url, redis: redis.url, ...options }),
    'docs.jsonl': toJsonl(documents),
  });
}

/** Runs to a failure: exit code 1, a message that matches, no stack trace. */
async function fails(workspace: Workspace, message: RegExp, args = RUN): Promise<void> {
  const finished = await workspace.run(args);
  expect(finished, finished.stderr).toMatchObject({ code: 1 });
  expect(finished.stderr).toMatch(message);
  expect(finished.stderr).not.toMatch(/\n\s+at /);
}

/** After mending, the same command ends well and no answer was bought twice. */
async function completes(workspace: Workspace): Promise<void> {
  const finished = await workspace.run(RUN);
  expect(finished, finished.stderr).toMatchObject({ code: 0 });
  const output = await workspace.readOutput('out');
  expectBalanced(
    output,
    documents.map(({ id }) => id),
  );
  expect(usdToNano(output.manifest.costUsd)).toBe(model.billNano);
  const paid = model.calls.filter((call) => call.costNano > 0);
  expect(new Set(paid.map((call) => call.hash)).size).toBe(24);
  expect(paid).toHaveLength(24);
}

async function replaceInConfig(workspace: Workspace, from: string, to: string): Promise<void> {
  const config = await readFile(workspace.path('nightmill.yaml'), 'utf8');
  expect(config).toContain(from);
  await workspace.write('nightmill.yaml', config.replace(from, to));
}

describe('a dependency that is away', () => {
  it('an unreachable Redis ends every command with 1 and says how to resume; fixed, the run completes', async () => {
    await using workspace = await makeWorkspace({ redis: 'redis://127.0.0.1:1' });
    const message =
      /Cannot reach Redis at redis:\/\/127\.0\.0\.1:1: .*ECONNREFUSED.*remove that line to use the embedded server/;
    for (const args of [RUN, ['status'], ['worker']]) await fails(workspace, message, args);
    await replaceInConfig(workspace, 'redis://127.0.0.1:1', redis.url);
    await completes(workspace);
  });

  it('an unreachable S3 store ends run with 1 before any call; fixed, the run completes', async () => {
    const port = await freePort();
    const s3 = `store: s3://mill/x
s3: { endpoint: "http://127.0.0.1:${port}", forcePathStyle: true, accessKeyId: a, secretAccessKey: b }`;
    await using workspace = await makeWorkspace({ more: s3 });
    await fails(workspace, /s3:\/\/mill.*127\.0\.0\.1/s);
    expect(model.calls).toHaveLength(0);
    const server: FauxqsServer = await startFauxqs({ port, logger: false });
    try {
      await fails(workspace, /mill.*bucket|bucket.*mill/is);
      server.createBucket('mill');
      await completes(workspace);
    } finally {
      await server.stop();
    }
  });

  it('an unreachable provider stops run with 1, names it and the fix; fixed, the run completes', async () => {
    const port = await freePort();
    await using workspace = await makeWorkspace({
      url: `http://127.0.0.1:${port}/v1`,
      worker: 'providerPatienceSeconds: 1',
    });
    await fails(workspace, /stopped by the provider: .*127\.0\.0\.1.*Once that is fixed the same command resumes/s);
    await replaceInConfig(workspace, `http://127.0.0.1:${port}/v1`, model.url);
    await completes(workspace);
  });

  it.each([
    [
      'a wrong key (401)',
      401,
      { message: 'Incorrect API key provided', code: 'invalid_api_key' },
      /acme.*API key|API key.*acme/s,
    ],
    [
      'no credit (429 insufficient_quota)',
      429,
      { message: 'You exceeded your current quota', code: 'insufficient_quota' },
      /acme.*quota|quota.*acme/s,
    ],
    [
      'an unknown model (404)',
      404,
      { message: 'The model does not exist', code: 'model_not_found' },
      /acme.*model does not exist|model does not exist.*acme/s,
    ],
  ])(
    '%s stops run with 1 after few calls; fixed, the run continues with what was paid',
    async (_name, status, error, message) => {
      await using workspace = await makeWorkspace({ slice: 2 });
      const good = model.answer;
      model.answer = (call) => (model.calls.indexOf(call) < 10 ? good(call) : { status, error });
      await fails(workspace, message);
      // The calls in flight when it began, each asked again once at most: on a busy machine the pause comes after a moment.
      expect(model.calls.length - model.repeats).toBeLessThanOrEqual(10 + 8);
      expect(model.repeats).toBeLessThanOrEqual(8);
      model.answer = good;
      await completes(workspace);
    },
  );
});

const canMount = process.getuid?.() === 0 && tryMount();

/** Only root may mount, and not in every container. */
function tryMount(): boolean {
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('a disk that is full or a file in the way', () => {
  it('a file where the output folder should be is refused by run before anything is paid, and by results', async () => {
    await using workspace = await makeWorkspace();
    await workspace.write('file', 'in the way');
    const message = /Cannot write the results to file: .*Choose another folder with -o/;
    const run = await workspace.run(['run', 'docs.jsonl', '-w', 'triage', '-o', 'file']);
    expect(run, run.stderr).toMatchObject({ code: 2 });
    expect(run.stderr).toMatch(message);
    expect(await workspace.json(['status'])).toEqual([]);
    expect(model.calls).toHaveLength(0);
    await completes(workspace);
    const [{ id } = { id: '' }] = await workspace.json<{ id: string }[]>(['status']);
    const results = await workspace.run(['results', id, '-o', 'file']);
    expect(results, results.stderr).toMatchObject({ code: 2 });
    expect(results.stderr).toMatch(message);
  });

  describe.skipIf(!canMount)('with a small disk (needs root)', () => {
    /** Mounts a small disk while `work` runs; `grow` makes it larger. */
    async function onSmallDisk(
      workspace: Workspace,
      name: string,
      work: (grow: () => void) => Promise<void>,
    ): Promise<void> {
      const path = workspace.path(name);
      await mkdir(path, { recursive: true });
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', path]);
      try {
        await work(() => execFileSync('mount', ['-o', 'remount,size=8m', path]));
      } finally {
        execFileSync('umount', ['-l', path]);
      }
    }

    /** Random text, so that it stays large when packed. */
    const bulky = documents.map((document, index) => ({
      ...document,
      metadata: {
        noise: Array.from({ length: 900 }, (_, n) => ((index * 7919 + n) ** 3 % 99991).toString(36)).join(''),
      },
    }));

    it('a full disk for the results ends run with 1; after making room the same command gives them for free', async () => {
      await using workspace = await makeWorkspace();
      await workspace.write('docs.jsonl', toJsonl(bulky));
      await onSmallDisk(workspace, 'out', async (grow) => {
        await fails(
          workspace,
          /Cannot write the results to out: the disk is full\. Make room or choose another folder/,
        );
        const calls = model.calls.length;
        grow();
        await completes(workspace);
        expect(model.calls).toHaveLength(calls);
      });
    });

    it('a full disk for the store ends run with 1; after making room the same command completes', async () => {
      await using workspace = await makeWorkspace({ more: 'store: file:./disk' });
      await workspace.write('docs.jsonl', toJsonl(bulky));
      await onSmallDisk(workspace, 'disk', async (grow) => {
        await fails(workspace, /Cannot write batches\/.*the disk is full.*run the same command again/s);
        grow();
        await completes(workspace);
      });
    });
  });

  it('a slice object that was deleted ends run with 1 and is named', async () => {
    await using workspace = await makeWorkspace();
    await workspace.run(['submit', 'docs.jsonl', '-w', 'triage', '--id', 'night']);
    await rm(workspace.path('.nightmill/store/batches/night/input/slice-000001.jsonl.gz'));
    await fails(workspace, /slice object batches\/night\/input\/slice-000001\.jsonl\.gz is missing.*deleted/, [
      ...RUN,
      '--id',
      'night',
    ]);
  });
});
