import { beforeEach, describe, expect, test } from 'vitest';
import { classifyHttpFailure } from '../../src/providers/classify-http-failure.ts';
import { ModelCallError } from '../../src/providers/failure.ts';
import { processSlice } from '../../src/slices/process-slice.ts';
import { countTokens } from '../../src/text/tokens.ts';
import { labelReply, MemoryApp } from '../helpers/memory/memory-app.ts';

/** Of nobody, and not understood as what they mean. */
const WORDINGS: readonly (readonly [status: number, message: string])[] = [
  [400, 'Context: 9000/4096'],
  [400, 'No space in KV for tokens 4096..9000'],
  [422, 'bad length'],
  [400, 'window violation (code 17)'],
  [400, 'tokens=9000'],
  [422, 'Sequence dimension mismatch: got 9000'],
  [400, 'Die Länge passt nicht'],
];
/** Speaks of something else. */
const OTHER_WORDINGS: readonly (readonly [status: number, message: string])[] = [
  [400, 'Field required: project'],
  [400, 'Unexpected token < in JSON at position 0'],
  [404, 'No model of this context length'],
];

const SHORT = 'the page is broken '.repeat(150);
const LONG = 'my invoice is wrong '.repeat(400);

function refusal(status: number, message: string): ModelCallError {
  const said = classifyHttpFailure(status, JSON.stringify({ error: { message } }), {});
  return new ModelCallError(message, { billing: 'none', status, ...said });
}

let app: MemoryApp;
beforeEach(async () => {
  app = await MemoryApp.open();
});

const lengthOf = (request: (typeof app.requests)[number]) => request.messages.at(-1)?.content.length ?? 0;

async function rowsOf(texts: readonly string[]) {
  const batch = await app.batchOf(
    texts.map((text, index) => ({
      kind: 'document' as const,
      document: { id: `d${index}`, text },
      tokens: countTokens(text),
    })),
  );
  const result = await processSlice(app.slices, { batch, slice: 0 }, undefined);
  return { result, rows: await app.rows(batch) };
}

/** Refuses what is longer, in these words. */
function takesAtMost(characters: number, status: number, message: string): void {
  app.answer = (request) => {
    if (lengthOf(request) > characters) throw refusal(status, message);
    return labelReply('billing');
  };
}

describe('a refusal that may be about length', () => {
  test.each(WORDINGS)('cuts the document once: %d %s', async (status, message) => {
    expect(classifyHttpFailure(status, JSON.stringify({ error: { message } }), {}).failure).toBe('bad_request');
    takesAtMost(5_000, status, message);
    const { rows } = await rowsOf([SHORT, LONG]);
    expect(rows).toMatchObject([
      { id: 'd0', status: 'succeeded', calls: 1 },
      { id: 'd1', status: 'succeeded', result: { label: 'billing' } },
    ]);
    expect(app.requests.length).toBeLessThanOrEqual(5);
  });

  test('is found out where nothing has succeeded yet', async () => {
    takesAtMost(5_000, 400, 'tokens=9000');
    const { rows } = await rowsOf([LONG]);
    expect(rows).toMatchObject([{ id: 'd0', status: 'succeeded' }]);
  });

  test('cuts once, not again and again', async () => {
    takesAtMost(SHORT.length + 500, 400, 'tokens=9000');
    const { rows } = await rowsOf([SHORT, LONG.repeat(3)]);
    expect(rows).toMatchObject([{ status: 'succeeded' }, { status: 'failed', error: { code: 'bad_request' } }]);
  });

  test.each(OTHER_WORDINGS)('cuts nothing where it speaks of something else: %d %s', async (status, message) => {
    takesAtMost(5_000, status, message);
    await rowsOf([SHORT, LONG]);
    const refused = app.requests.filter((request) => lengthOf(request) > 5_000);
    expect(new Set(refused.map(lengthOf)).size).toBe(1);
    expect(app.requests.filter((request) => lengthOf(request) <= 5_000)).toHaveLength(1);
  });

  test('cuts nothing from a document that is no longer than those that succeed', async () => {
    app.answer = (request) => {
      if (request.messages.at(-1)?.content.includes('broken')) throw refusal(400, 'tokens=9000');
      return labelReply('billing');
    };
    await rowsOf([LONG]);
    app.requests.length = 0;
    const { rows } = await rowsOf([SHORT]);
    expect(rows).toMatchObject([{ status: 'failed', error: { code: 'bad_request' } }]);
    expect(new Set(app.requests.map(lengthOf)).size).toBe(1);
  });

  test('is nothing of length for a document that has nothing to cut', async () => {
    app.answer = (request) => {
      if (request.messages.at(-1)?.content.includes('seven')) throw refusal(400, 'bad length');
      return labelReply('bug');
    };
    await rowsOf(['a']);
    const { rows } = await rowsOf(['one two three four five six seven']);
    expect(rows).toMatchObject([{ status: 'failed', error: { code: 'bad_request' } }]);
  });
});
