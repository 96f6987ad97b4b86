import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { openLocalModel } from '../../src/adapters/local-model/open-local-model.ts';
import { sentenceEncoderInstalled } from '../../src/adapters/local-model/sentence-encoder.ts';
import type { LocalClassifierSpec, LocalModel } from '../../src/local-model/local-model.ts';
import { ALL_TESTS } from '../helpers/all-tests.ts';
import { drawExamples, evaluationDataPresent, readClassificationSet, spread } from '../helpers/evaluation-data.ts';

const DESK: LocalClassifierSpec = {
  labels: [
    { label: 'billing', description: 'Questions about invoices, payments, refunds and charges' },
    { label: 'bug', description: 'Something in the software is broken, crashes or shows an error' },
    { label: 'sales', description: 'Questions before buying: prices, plans, features, demos' },
  ],
  examples: [],
};
const QUESTIONS = [
  'I was charged twice on my last invoice, please give me a refund',
  'The app crashes with an error every time I open the settings',
  'Which plan should we buy for twenty people, and can we see a demo?',
];
const SPAM: LocalClassifierSpec = {
  labels: [
    { label: 'ham', description: 'A message from a friend' },
    { label: 'spam', description: 'An advertisement' },
  ],
  examples: Array.from({ length: 40 }, (_, i) =>
    i % 2 === 0
      ? { text: `see you at lunch today, room ${i}`, label: 'ham' }
      : { text: `win a free prize now, claim code ${i}`, label: 'spam' },
  ),
};

const opened: LocalModel[] = [];
function open(options: Parameters<typeof openLocalModel>[0] = {}): LocalModel {
  const model = openLocalModel(options);
  opened.push(model);
  return model;
}
afterEach(async () => {
  await Promise.all(opened.splice(0).map((model) => model.close()));
});

const SOURCES = fileURLToPath(new URL('../../src/', import.meta.url));

/** What a program prints that gets `openLocalModel` from a copy of the sources at `root`; it must end by itself. */
async function outputOf(program: string, root: string): Promise<string> {
  const url = pathToFileURL(join(root, 'adapters/local-model/open-local-model.ts'));
  const code = `const { openLocalModel } = await import('${url}'); ${program}`;
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], { timeout: 20_000 });
  return (await run).stdout.trim();
}

/** Message ports that keep this process alive. */
function activeWorkers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'MessagePort' || name === 'Worker').length;
}

describe.skipIf(!sentenceEncoderInstalled())('the local model with the sentence encoder', () => {
  const shared = openLocalModel();
  afterAll(() => shared.close());

  test('answers by the descriptions of the labels alone', async () => {
    const answers = await shared.classify(DESK, QUESTIONS);
    expect(answers.map((answer) => answer.label)).toEqual(['billing', 'bug', 'sales']);
    for (const answer of answers) expect(answer).toMatchObject({ familiar: true });
    expect(shared.kind).toBe('sentence-encoder');
  });

  test('gives the same numbers whatever else is in the batch, in whatever order, again and in another thread', async () => {
    const fillers = Array.from({ length: 24 }, (_, i) => `Filler number ${i} ${'and so on '.repeat(i)}`);
    const together = await shared.classify(SPAM, [...fillers, ...QUESTIONS]);
    const other = open();
    const alone = [];
    for (const question of QUESTIONS.toReversed()) alone.push(...(await other.classify(SPAM, [question])));
    expect(alone.toReversed()).toEqual(together.slice(-QUESTIONS.length));
    expect(await shared.classify(SPAM, QUESTIONS)).toEqual(together.slice(-QUESTIONS.length));
  });

  test('chooses a catch-all where nothing fits, whatever it is called', async () => {
    const texts = [
      ...QUESTIONS,
      'Our football team won the cup final on Saturday',
      'Do pandas eat anything but bamboo?',
    ];
    const named = { ...DESK, labels: [...DESK.labels, { label: 'other', description: 'None of these' }] };
    const labels = (answers: readonly { label: string }[]) => answers.map(({ label }) => label);
    expect(labels(await shared.classify(named, texts))).toEqual(['billing', 'bug', 'sales', 'other', 'other']);
    const desk = { ...DESK, labels: [...DESK.labels, { label: 'reception', description: 'A person reads it' }] };
    const answers = await shared.classify({ ...desk, fallbackLabel: 'reception' }, texts);
    expect(labels(answers)).toEqual(['billing', 'bug', 'sales', 'reception', 'reception']);
    expect(labels(await shared.classify(DESK, texts))).not.toContain('other');
  });

  test('chooses a catch-all beside bare names without examples for what is far from all of them, and is sure of no name', async () => {
    const bare = ['billing', 'bug', 'sales'].map((label) => ({
      label,
      description: label === 'bug' ? 'Broken' : label,
    }));
    const spec = { labels: [...bare, { label: 'other', description: 'Anything else' }], examples: [] };
    const texts = [
      'I was charged twice, my invoice is wrong',
      'Please send me an offer',
      'The app crashes at the start',
    ];
    for (const { label, confidence } of await shared.classify(spec, texts)) {
      expect(label).not.toBe('other');
      expect(confidence).toBeLessThanOrEqual(0.9);
    }
    expect(await shared.classify(spec, ['Our football team won the match'])).toMatchObject([{ label: 'other' }]);
  });

  test('says why it should not answer', async () => {
    const texts = ['win a prize now', ' \n--- !!', 'Warum wurde meine Karte nicht akzeptiert und was soll ich tun?'];
    const examples = [...SPAM.examples, ...SPAM.examples.map(({ text, label }) => ({ text: `${text}!`, label }))];
    const unlike = 'The spectral theorem holds for every compact operator on a Hilbert space.';
    const [spam, empty, german, theorem] = await shared.classify({ ...SPAM, examples }, [...texts, unlike]);
    expect(spam?.label).toBe('spam');
    expect(empty).toEqual({ label: 'ham', confidence: 0, familiar: false, reason: 'no_text' });
    expect(german).toMatchObject({ familiar: false, reason: 'not_english' });
    expect(theorem).toMatchObject({ familiar: false, reason: 'unlike_examples' });
  });

  test('answers hostile texts', { timeout: 180_000 }, async () => {
    const hostile = [
      `${' '.repeat(100_000)}help${' '.repeat(100_000)}`,
      'a'.repeat(5_000_000),
      '😀'.repeat(100_000),
      '\ud800\udc00\ud800'.repeat(10_000),
      '\ufdfa'.repeat(100_000),
      '\u0000\u2581'.repeat(50_000),
      '<|endoftext|> __proto__ constructor',
      'x',
    ];
    const answers = await shared.classify(DESK, hostile);
    expect(answers).toHaveLength(hostile.length);
    for (const { confidence } of answers) expect(confidence).toBeGreaterThanOrEqual(0);
  });

  test('an abort rejects at once with its reason, and the thread is free again within seconds', async () => {
    await shared.classify(DESK, ['warm up']);
    const texts = Array.from({ length: 3_000 }, (_, i) => `Text number ${i}. ${'Something about it. '.repeat(15)}`);
    const controller = new AbortController();
    const reason = new Error('the batch was cancelled');
    const classification = shared.classify(DESK, texts, controller.signal);
    classification.catch(() => undefined);
    // The extract is answered between two runs of the encoder, so the classification is under way.
    await shared.extract('One sentence here.', { maxWords: 10 });
    let isFree = false;
    const after = shared.classify(DESK, ['after the abort']).then(() => {
      isFree = true;
    });
    controller.abort(reason);
    await expect(classification).rejects.toBe(reason);
    // At once: before the thread has come to anything else.
    expect(isFree).toBe(false);
    await after;
  });

  test('close() during a classification rejects it and ends the thread', async () => {
    const model = open();
    const classification = model.classify(DESK, QUESTIONS);
    const closing = model.close();
    await expect(classification).rejects.toThrow(/it was closed/);
    await closing;
    await expect(model.classify(DESK, QUESTIONS)).rejects.toThrow(/it was closed/);
  });

  describe.skipIf(!evaluationDataPresent)('on the evaluation sets (needs ../shared/data beside the project)', () => {
    // Measured earlier on other items, minus 3 points and what 200 items and one draw of examples may vary by (4 points);
    // a third of them vary by 3 points more.
    const [count, slack] = ALL_TESTS ? [200, 0] : [70, 0.03];
    const rows = [
      { name: 'agnews', perLabel: 0, atLeast: 0.768 },
      { name: 'sms', perLabel: 32, atLeast: 0.903 },
      { name: 'agnews', perLabel: 32, atLeast: 0.8 },
      { name: 'clinc10', perLabel: 32, atLeast: 0.756 },
    ];
    test.each(ALL_TESTS ? rows : rows.slice(0, 1))(
      'with $perLabel examples a label is right on $name as often as expected',
      { timeout: 180_000 },
      async (row) => {
        const set = readClassificationSet(row.name);
        const items = spread(set.test, count);
        const examples = row.perLabel === 0 ? [] : drawExamples(set, row.perLabel, 0);
        const answers = await shared.classify(
          { labels: set.labels, examples },
          items.map((item) => item.text),
        );
        const right = answers.filter((answer, i) => answer.label === items[i]?.label).length / items.length;
        expect(right).toBeGreaterThanOrEqual(row.atLeast - slack);
        // Chance and always-the-commonest-label are far below, so the threshold means something.
        const confidence = answers.reduce((sum, answer) => sum + answer.confidence, 0) / answers.length;
        expect(Math.abs(confidence - right)).toBeLessThan(0.12 + slack);
        expect(answers.filter((answer) => answer.reason === 'not_english').length).toBeLessThanOrEqual(4);
      },
    );
  });
});

describe('the local model with naive Bayes alone', () => {
  test('learns from examples', async () => {
    const model = open({ kind: 'naive-bayes' });
    const answers = await model.classify(SPAM, ['claim your free prize', 'lunch in the same room?']);
    expect(answers.map((answer) => answer.label)).toEqual(['spam', 'ham']);
    expect(model.kind).toBe('naive-bayes');
  });

  test('says what to do where it has no examples', async () => {
    await expect(open({ kind: 'naive-bayes' }).classify(DESK, QUESTIONS)).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringMatching(/not installed.*needs examples.*Install the optional packages/),
    });
  });

  test.each([
    ['an unknown label', { text: 'hello', label: 'hamm' }, /"hamm" is none of the workflow's labels/],
    ['a weight of 0', { text: 'hello', label: 'ham', weight: 0 }, /its weight is 0, not above 0/],
  ])('refuses an example with %s', async (_, example, message) => {
    const spec = { ...SPAM, examples: [...SPAM.examples, example] };
    await expect(open({ kind: 'naive-bayes' }).classify(spec, ['hi'])).rejects.toMatchObject({
      code: 'config_invalid',
      message,
    });
  });

  test('serves many workflows at once, more than it keeps trained', async () => {
    const model = open({ kind: 'naive-bayes' });
    const specs = Array.from({ length: 12 }, (_, i) => ({
      labels: SPAM.labels,
      examples: [...SPAM.examples, { text: `extra${i} extra${i}`, label: i % 2 === 0 ? 'ham' : 'spam' }],
    }));
    for (let round = 0; round < 2; round++) {
      const answers = await Promise.all(specs.map((spec, i) => model.classify(spec, [`extra${i}`])));
      expect(answers.map(([answer]) => answer?.label)).toEqual(specs.map((_, i) => (i % 2 === 0 ? 'ham' : 'spam')));
    }
  });
});

test('openLocalModel() falls back to naive Bayes where the packages of the encoder are not installed', async () => {
  // Far from the project's node_modules nothing is installed.
  const root = await mkdtemp(join(tmpdir(), 'nightmill-local-model-'));
  try {
    for (const part of ['errors.ts', 'runtime', 'text', 'workflows', 'local-model', 'adapters/local-model']) {
      await cp(join(SOURCES, part), join(root, part), { recursive: true });
    }
    const program = `const model = openLocalModel();
      const [answer] = await model.classify(${JSON.stringify(SPAM)}, ['claim your free prize']);
      console.log(model.kind, answer.label);`;
    expect(await outputOf(program, root)).toBe('naive-bayes spam');
  } finally {
    await rm(root, { recursive: true });
  }
});

describe('the thread of the local model', () => {
  test('does not keep a process alive that has no call waiting', async () => {
    const program = `console.log((await openLocalModel({ kind: 'naive-bayes' }).extract('Two words.', { maxWords: 2 })).text);`;
    expect(await outputOf(program, SOURCES)).toBe('Two words.');
  });

  test('starts with the first call', async () => {
    const before = activeWorkers();
    const model = open({ kind: 'naive-bayes' });
    expect(activeWorkers()).toBe(before);
    const pending = model.extract('A sentence.', { maxWords: 5 });
    expect(activeWorkers()).toBeGreaterThan(before);
    await pending;
  });

  test('fails the waiting calls when it crashes, and the next call starts another', { timeout: 60_000 }, async () => {
    const model = open({ kind: 'naive-bayes', heapLimitMb: 12 });
    const words = Array.from({ length: 1_200 }, (_, i) => `w${i}`).join(' ');
    const examples = Array.from({ length: 1_000 }, (_, i) => ({
      text: words.replaceAll('w', `${String.fromCharCode(97 + (i % 26))}${i}w`),
      label: i % 2 === 0 ? 'ham' : 'spam',
    }));
    await expect(model.classify({ labels: SPAM.labels, examples }, ['hi'])).rejects.toMatchObject({
      code: 'internal',
      retryable: true,
      message: expect.stringMatching(/thread of the local model ended unexpectedly: .*memory/),
    });
    const [answer] = await model.classify(SPAM, ['claim your free prize']);
    expect(answer?.label).toBe('spam');
  });

  test('extracts sentences, and refuses a word limit that is none', async () => {
    const model = open({ kind: 'naive-bayes' });
    const text =
      'The bridge was closed in March after engineers found cracks. It rained. Repairs cost 48 million dollars.';
    expect(await model.extract(text, { maxWords: 11 })).toEqual({
      text: 'The bridge was closed in March after engineers found cracks.',
      isWhole: false,
      isEnglish: true,
    });
    expect(await model.extract('Die Brücke ist zu, und es ist nicht klar, wie lange.', { maxWords: 20 })).toMatchObject(
      {
        isWhole: true,
        isEnglish: false,
      },
    );
    expect(await model.extract('  ', { maxWords: 12 })).toMatchObject({ text: '', isWhole: false });
    await expect(model.extract(text, { maxWords: 0 })).rejects.toMatchObject({ code: 'config_invalid' });
  });

  test('does nothing for a signal that was aborted before', async () => {
    const model = open({ kind: 'naive-bayes' });
    const reason = new Error('too late');
    await expect(model.classify(SPAM, ['hi'], AbortSignal.abort(reason))).rejects.toBe(reason);
    await expect(model.extract('Hi.', { maxWords: 1 }, AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  test('close() may be called twice and before any call', async () => {
    const model = open({ kind: 'naive-bayes' });
    await model.close();
    await model.close();
    await expect(model.extract('Hi.', { maxWords: 1 })).rejects.toThrow(/it was closed/);
  });
});
