import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { usdToNano } from '../../src/money/money.ts';
import { HttpModel } from '../helpers/http-model.ts';
import { configYaml, expectBalanced, makeDocuments, toJsonl, Workspace } from '../helpers/workspace.ts';

let model: HttpModel;

beforeAll(async () => {
  model = await HttpModel.start();
});
beforeEach(() => model.reset());
afterAll(async () => {
  await model[Symbol.asyncDispose]();
});

const RUN = ['run', 'docs.jsonl', '-w', 'triage', '-o', 'out'];
const documents = makeDocuments(30);

/** With the embedded Redis, which must outlive the interrupted command's data. */
async function makeWorkspace(): Promise<Workspace> {
  return await Workspace.make({
    'nightmill.yaml': configYaml({ url: model.url, concurrency: 5, slice: 5 }),
    'docs.jsonl': toJsonl(documents),
  });
}

describe('Ctrl-C of nightmill run', () => {
  it('the first SIGINT lets calls in flight settle, and the same command resumes with nothing bought twice', async () => {
    await using workspace = await makeWorkspace();
    model.holdAfter(12);
    const run = workspace.start(RUN);
    await model.until(() => model.count('waiting') === 5);
    run.kill('SIGINT');
    await run.prints(/SIGINT: finishing what is in flight/);
    model.release();
    const interrupted = await run.exited;
    expect(interrupted).toMatchObject({ code: 130, signal: null });
    expect(interrupted.stderr).toMatch(/The same command resumes where it stopped/);
    const callsBefore = model.calls.length;
    expect(callsBefore).toBeLessThan(30);

    const again = await workspace.run(RUN);
    expect(again, again.stderr).toMatchObject({ code: 0 });
    const output = await workspace.readOutput('out');
    expectBalanced(
      output,
      documents.map(({ id }) => id),
    );
    expect(model.calls).toHaveLength(30);
    expect(model.repeats).toBe(0);
    expect(output.manifest.cost.uncertain.calls).toBe(0);
    expect(usdToNano(output.manifest.costUsd)).toBe(model.billNano);
  });

  it('the second SIGINT gives up calls in flight at once; they are booked as uncertain and made again', async () => {
    await using workspace = await makeWorkspace();
    model.holdAfter(12);
    const run = workspace.start(RUN);
    await model.until(() => model.count('waiting') === 5);
    run.kill('SIGINT');
    await run.prints(/SIGINT: finishing/);
    run.kill('SIGINT');
    const forced = await run.exited;
    expect(forced).toMatchObject({ code: 130, signal: null });
    expect(forced.stderr).toContain('SIGINT again: giving up calls in flight');
    expect(model.count('lost')).toBe(5);
    model.release();

    const again = await workspace.run(RUN);
    expect(again, again.stderr).toMatchObject({ code: 0 });
    const output = await workspace.readOutput('out');
    expectBalanced(
      output,
      documents.map(({ id }) => id),
    );
    expect(model.repeats).toBe(5);
    expect(output.manifest.cost.uncertain.calls).toBe(5);
    expect(usdToNano(output.manifest.costUsd)).toBe(model.billNano);
  });

  it('a run that is killed continues with the same command; only calls in flight are made again', async () => {
    await using workspace = await makeWorkspace();
    model.holdAfter(12);
    const run = workspace.start(RUN);
    await model.until(() => model.count('waiting') === 5);
    run.kill('SIGKILL');
    await run.exited;
    await model.until(() => model.count('lost') === 5);
    model.release();
    const again = await workspace.run(RUN);
    expect(again, again.stderr).toMatchObject({ code: 0 });
    const output = await workspace.readOutput('out');
    expectBalanced(
      output,
      documents.map(({ id }) => id),
    );
    // An answer that had just arrived may have been on its way into the journal.
    expect(model.repeats).toBeGreaterThanOrEqual(5);
    expect(output.manifest.cost.uncertain.calls).toBe(model.repeats);
    expect(again.stderr).toContain('were submitted before');
  });
});
