import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HttpModel } from '../helpers/http-model.ts';
import { configYaml, makeDocuments, oneJsonValue, toJsonl, Workspace } from '../helpers/workspace.ts';

let model: HttpModel;
let workspace: Workspace;

beforeAll(async () => {
  model = await HttpModel.start();
  workspace = await Workspace.make({
    'docs.jsonl': toJsonl(makeDocuments(3)),
    'nightmill.yaml': configYaml({ url: model.url }),
    'bad.yaml': `
stroe: file:here
providers:
  acme: { kind: openai, baseUrl: "ftp://x", apiKey: "\${MISSING_KEY}" }
models:
  small: { provider: acme, id: gpt-4.1-mini, price: { inputPerMillion: -1, outputPerMillion: 1 } }
workflows:
  triage: { task: classify, labels: [a, b], cascade: [] }
`,
    'references.yaml': `
providers:
  acme: { kind: openai, baseUrl: "${model.url}" }
models:
  aliased: { provider: acme, id: gpt-4.1-mini }
  orphan: { provider: nobody, id: x-2026-01-01 }
workflows:
  triage: { task: classify, labels: [only], cascade: [{ model: small }] }
  digest: { task: summarize, labels: [a, b], cascade: [{ model: aliased }], timezone: Mars/Base }
`,
    'unpriced.yaml': `
providers:
  acme: { kind: openai, baseUrl: "${model.url}" }
models:
  mystery: { provider: acme, id: mystery-2026-01-01 }
workflows:
  triage: { task: classify, labels: [a, b], cascade: [{ model: mystery }] }
`,
    'broken.yaml': 'workflows: {\n',
  });
});
beforeEach(() => model.reset());
afterAll(async () => {
  await workspace[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
});

const RUN = ['run', 'docs.jsonl', '-w', 'triage', '-o', 'out'];

/** Runs a command that must end with 2 before it does anything; returns what it says. */
async function refusal(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const { code, stdout, stderr } = await workspace.run(args, { env });
  expect({ args, code, stdout }, stderr).toEqual({ args, code: 2, stdout: '' });
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(model.calls).toHaveLength(0);
  return stderr;
}

describe('nightmill with wrong usage', () => {
  it.each([
    [['nonsense'], /unknown command 'nonsense'/],
    [['run', 'docs.jsonl', '-o', 'out'], /required option '-w, --workflow <name>'/],
    [['run', 'docs.jsonl', '-w', 'triage'], /required option '-o, --output <folder>'/],
    [['run', '-w', 'triage', '-o', 'out'], /missing required argument 'input'/],
    [[...RUN, '--nonsense'], /unknown option '--nonsense'/],
    [['submit', 'docs.jsonl', '-w', 'nobody'], /no workflow "nobody".*known: triage, digest/],
    [['plan', 'docs.jsonl', '-w', 'nobody'], /no workflow "nobody"/],
    [['worker', '-w', 'nobody'], /no workflow "nobody"/],
    [[...RUN, '--budget', 'much'], /Cannot read "much" as dollars/],
    [[...RUN, '--budget', '-1'], /-1/],
    [[...RUN, '--id', '../x'], /Cannot use "..\/x" as a batch id/],
    [[...RUN, '--tenant', 'a b'], /Cannot use "a b" as a tenant/],
    [[...RUN, '--priority', '-3'], /priority/],
    [['status', 'nobody'], /There is no batch "nobody"/],
    [['results', 'nobody', '-o', 'out'], /There is no batch "nobody"/],
    [[...RUN, '--config', 'missing.yaml'], /Cannot read the config file .*missing\.yaml.*--config FILE/],
    [[...RUN, '--log-level', 'loud'], /Cannot log at level "loud"/],
  ])('%j ends with 2 and says why', async (args, message) => {
    expect(await refusal(args)).toMatch(message);
  });
});

describe('nightmill with a wrong config', () => {
  it('every problem of the file is in one message with its path', async () => {
    const stderr = await refusal([...RUN, '--config', 'bad.yaml']);
    expect(stderr).toMatch(/bad\.yaml has \d+ problems:/);
    expect(stderr).toMatch(/ - .*stroe/);
    expect(stderr).toMatch(/ - providers\.acme\.baseUrl: must be an http/);
    expect(stderr).toMatch(
      / - providers\.acme\.apiKey: the environment has no MISSING_KEY; .*\$\{MISSING_KEY:-default\}/,
    );
    expect(stderr).toMatch(/ - models\.small\.price\.inputPerMillion: /);
    expect(stderr).toMatch(/ - workflows\.triage\.cascade: /);
  });

  it('a key that is not set stops only what makes calls', async () => {
    await using lacking = await Workspace.make({
      'nightmill.yaml': configYaml({ url: 'http://127.0.0.1:9' }).replace(
        '${ACME_API_KEY:-none}',
        '${NOT_SET_ANYWHERE}',
      ),
      'docs.jsonl': toJsonl([{ id: 'a', text: 'The page fails to open.' }]),
    });
    for (const args of [
      ['status'],
      ['budget', 'show'],
      ['plan', 'docs.jsonl', '-w', 'triage'],
      ['submit', 'docs.jsonl', '-w', 'triage'],
    ]) {
      const finished = await lacking.run(args);
      expect(finished, finished.stderr).toMatchObject({ code: 0 });
    }
    const doctor = await lacking.run(['doctor']);
    expect(doctor.stdout).toMatch(/FAILED +environment.*NOT_SET_ANYWHERE, which providers\.acme\.apiKey names/);
    for (const args of [['worker'], ['run', 'docs.jsonl', '-w', 'triage', '-o', 'out']]) {
      const finished = await lacking.run(args);
      expect(finished).toMatchObject({ code: 2 });
      expect(finished.stderr).toContain('the environment has no NOT_SET_ANYWHERE');
    }
  });

  it('every broken reference is in one message with its path', async () => {
    const stderr = await refusal([...RUN], { NIGHTMILL_CONFIG: 'references.yaml' });
    expect(stderr).toMatch(/ - models\.aliased\.id: "gpt-4\.1-mini" is an alias .*allowAlias: true/);
    expect(stderr).toMatch(/ - models\.orphan\.provider: there is no provider "nobody"; known: acme/);
    expect(stderr).toMatch(/ - workflows\.triage\.cascade\.0\.model: there is no model "small"; known: /);
    expect(stderr).toMatch(/ - workflows\.triage\.labels: .*at least two/);
    expect(stderr).toMatch(/ - workflows\.digest\.labels: only a classify workflow/);
    expect(stderr).toMatch(/ - workflows\.digest\.timezone: "Mars\/Base" is not a time zone/);
  });

  it('a model without a price is refused where a budget applies, and works where none does', async () => {
    const args = [...RUN, '--config', 'unpriced.yaml'];
    expect(await refusal([...args, '--budget', '1'])).toMatch(
      /price of its model mystery .* is not known.*models\.mystery: price:/,
    );
    const free = await workspace.run(args);
    expect(free, free.stderr).toMatchObject({ code: 0 });
    expect(model.calls).toHaveLength(3);
  });

  it('a file that is no YAML names the file and the line', async () => {
    expect(await refusal([...RUN, '--config', 'broken.yaml'])).toMatch(/broken\.yaml has \d+ problems?:\n.*line 2/s);
  });
});

describe('nightmill --json and --help', () => {
  it('errors print exactly one JSON value with a stable code, whatever the command', async () => {
    const commands: readonly (readonly [string[], string])[] = [
      [['status', 'nobody'], 'batch_unknown'],
      [['results', 'nobody', '-o', 'out'], 'batch_unknown'],
      [['cancel', 'nobody'], 'batch_unknown'],
      [['pause', 'nobody'], 'batch_unknown'],
      [['resume', 'nobody'], 'batch_unknown'],
      [['plan', 'missing.jsonl', '-w', 'triage'], 'input_invalid'],
      [['run', 'docs.jsonl', '-w', 'nobody', '-o', 'out'], 'workflow_unknown'],
      [['submit', 'docs.jsonl', '-w', 'nobody'], 'workflow_unknown'],
      [['worker', '-w', 'nobody'], 'workflow_unknown'],
      [['doctor', '--config', 'bad.yaml'], 'config_invalid'],
      [['nonsense'], 'usage'],
      [['run', 'docs.jsonl'], 'usage'],
    ];
    const ended = await Promise.all(
      commands.map(async ([args, expected]) => ({ args, expected, ...(await workspace.run([...args, '--json'])) })),
    );
    for (const { args, expected, code, stdout, stderr } of ended) {
      expect({ args, code }).toEqual({ args, code: 2 });
      expect(stdout, `${args.join(' ')}: ${stderr}`).not.toBe('');
      expect(oneJsonValue(stdout), args.join(' ')).toEqual({
        error: { code: expected, message: expect.stringMatching(/./) },
      });
    }
  });

  it('successes print exactly one JSON value', async () => {
    await workspace.write('mine.jsonl', toJsonl(makeDocuments(2)));
    const json = async (...args: string[]) => await workspace.json<Record<string, unknown>>(args);
    expect(await json('plan', 'mine.jsonl', '-w', 'triage')).toMatchObject({ documents: 2 });
    expect(await json('submit', 'mine.jsonl', '-w', 'triage', '--id', 'mine')).toMatchObject({
      id: 'mine',
      state: 'queued',
    });
    expect(await json('pause', 'mine')).toMatchObject({ state: 'paused' });
    expect(await json('resume', 'mine')).toMatchObject({ state: 'running' });
    const run = await json('run', 'mine.jsonl', '-w', 'triage', '--id', 'mine', '-o', 'mine');
    const shape = { id: 'mine', state: 'completed', spentUsd: expect.any(Number), heldUsd: 0, limitUsd: null };
    expect(run).toMatchObject(shape);
    expect(await json('status', 'mine')).toMatchObject({
      ...shape,
      documents: { total: 2 },
      breaker: { state: 'closed' },
    });
    expect(await json('results', 'mine', '-o', 'again')).toMatchObject({ id: 'mine', results: 2, errors: 0 });
    expect(await json('cancel', 'mine')).toMatchObject({ state: 'completed' });
    expect(await json('doctor')).toMatchObject({ ok: true });
    expect(await readFile(workspace.path('again/results.jsonl'))).toEqual(
      await readFile(workspace.path('mine/results.jsonl')),
    );
  });

  it('--help of every command ends with 0 and names its arguments', async () => {
    const root = await workspace.run(['--help']);
    expect(root).toMatchObject({ code: 0, stderr: '' });
    expect(root.stdout).toContain('Exit codes: 0');
    const commands = ['run', 'submit', 'status', 'results', 'cancel', 'pause', 'resume', 'plan', 'worker', 'doctor'];
    const helps = await Promise.all(commands.map((command) => workspace.run([command, '--help'])));
    for (const [index, help] of helps.entries()) {
      expect(help).toMatchObject({ code: 0, stderr: '' });
      expect(help.stdout).toContain(`Usage: nightmill ${commands[index]} [options]`);
      expect(root.stdout).toContain(`  ${commands[index]} `);
    }
  });
});
