import { describe, expect, it } from 'vitest';
import { ALL_TESTS } from '../helpers/all-tests.ts';
import { configYaml, type TestDocument, toJsonl, Workspace } from '../helpers/workspace.ts';
import { modelAndRedis } from './model-and-redis.ts';

const { model, redis } = await modelAndRedis();

const LARGE = 320;
const SMALL = 64;
/** Calls in flight of both workers together. */
const IN_FLIGHT = 8;
/** Documents of slices that both workers have in hand. */
const IN_HAND = 2 * 2 * 8;
/** Documents of the slices of which both workers have begun the first calls. */
const BEGUN = 2 * 8;
/** Answers for the large batch before the others come. */
const DONE_BEFORE = 80;

/** Texts of very different length. */
function makeMixed(name: string, count: number): readonly TestDocument[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `${name}-${index}`,
    text: `Note ${name} ${index}: ${'the invoice shows a wrong amount. '.repeat(1 + ((index * 7) % 40))}`,
  }));
}

async function makeWorkspace(): Promise<Workspace> {
  return await Workspace.make({
    'nightmill.yaml': configYaml({ url: model.url, redis: redis.url, slice: 8, concurrency: 4, worker: 'slices: 2' }),
    'large.jsonl': toJsonl(makeMixed('large', LARGE)),
    'small.jsonl': toJsonl(makeMixed('small', SMALL)),
    'hurried.jsonl': toJsonl(makeMixed('hurried', SMALL)),
  });
}

interface Submission {
  readonly name: 'large' | 'small' | 'hurried';
  readonly flags: readonly string[];
}

/**
 * Two workers are busy with the first batch when the others are submitted.
 *
 * @returns by name: calls for other batches from then on until its own last one
 */
async function othersServedMeanwhile([first, ...later]: readonly [Submission, ...Submission[]]) {
  await using workspace = await makeWorkspace();
  const submit = async ({ name, flags }: Submission) => {
    const submitted = await workspace.run(['submit', `${name}.jsonl`, '-w', 'triage', '--id', name, ...flags]);
    expect(submitted, submitted.stderr).toMatchObject({ code: 0 });
  };
  model.holdAfter(DONE_BEFORE);
  await submit(first);
  await Promise.all([workspace.startWorker(), workspace.startWorker()]);
  await model.until(() => model.count('waiting') === IN_FLIGHT);
  for (const submission of later) await submit(submission);
  const before = model.calls.length;
  model.release();
  // Nobody stands idle for another: everything is answered.
  const everything = LARGE + later.length * SMALL;
  await model.until(() => new Set(model.calls.map(({ hash }) => hash)).size === everything);
  const others = ({ name }: Submission) => {
    const last = model.calls.findLastIndex(({ document }) => document.includes(`Note ${name}`));
    return last + 1 - before - SMALL;
  };
  return new Map(later.map((submission) => [submission.name, others(submission)]));
}

describe('nightmill submit by several tenants', () => {
  it('a small batch behind a large one of another tenant ends within twice the work that it takes alone', async () => {
    const others = await othersServedMeanwhile([
      { name: 'large', flags: ['--tenant', 'a'] },
      { name: 'small', flags: ['--tenant', 'b'] },
    ]);
    expect(others.get('small')).toBeLessThanOrEqual(SMALL);
  });

  it('a small batch is taken while every place is held by a large one of which nothing ends', async () => {
    await using workspace = await makeWorkspace();
    // Each of its slices has more tokens than the whole small batch.
    const long = Array.from({ length: 64 }, (_, index) => ({ id: `${index}`, text: `Long ${index}. `.repeat(1_500) }));
    await workspace.write('large.jsonl', toJsonl(long));
    model.holdAfter(0);
    const workers = await Promise.all([workspace.startWorker(), workspace.startWorker()]);
    const submit = (name: string) =>
      workspace.run(['submit', `${name}.jsonl`, '-w', 'triage', '--id', name, '--tenant', name]);
    await submit('large');
    await model.until(() => model.count('waiting') === IN_FLIGHT);
    await submit('small');
    await Promise.all(workers.map((worker) => worker.prints(/"reason":"overtaken"/)));
    expect(model.count('answered')).toBe(0);
    model.release();
    for (const name of ['small', 'large']) {
      await workspace.statusWhen(name, ({ state }) => state === 'completed');
    }
    // Nothing was lost or asked again, and the small one waited for no slice but the two that had begun.
    expect(model.calls).toHaveLength(long.length + SMALL);
    const firstSmall = model.calls.findIndex(({ document }) => document.includes('Note small'));
    expect(firstSmall).toBeLessThanOrEqual(BEGUN);
  });

  it.runIf(ALL_TESTS)(
    'a small batch behind a large one of the same tenant waits for it, unless its deadline comes near',
    async () => {
      const others = await othersServedMeanwhile([
        { name: 'large', flags: ['--tenant', 'a'] },
        { name: 'small', flags: ['--tenant', 'a'] },
        { name: 'hurried', flags: ['--tenant', 'a', '--deadline', '2h'] },
      ]);
      expect(others.get('hurried')).toBeLessThanOrEqual(SMALL);
      // The last slices of both are in hand together.
      expect(others.get('small')).toBeGreaterThanOrEqual(LARGE - DONE_BEFORE - IN_FLIGHT - IN_HAND + SMALL);
    },
  );

  it.each([
    ['yesterday', /use a time from now such as 90m, 6h or 2d, or a moment such as/],
    ['2026-01-31T06:00', /use a time from now/],
    ['2020-01-31T06:00Z', /that time has passed/],
  ])('the deadline %s ends submit with 2 and says what to write', async (deadline, message) => {
    await using workspace = await makeWorkspace();
    const refused = await workspace.run(['submit', 'small.jsonl', '-w', 'triage', '--deadline', deadline]);
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toMatch(message);
  });
});
