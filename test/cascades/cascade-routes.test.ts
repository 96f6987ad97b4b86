import { describe, expect, it } from 'vitest';
import { SliceRun } from '../../src/calls/slice-run.ts';
import { prepareRoute } from '../../src/cascades/cascade-routes.ts';
import type { JournalEntry } from '../../src/ledger/journal-entry.ts';
import { DocumentRedactors } from '../../src/redaction/document-redactors.ts';
import { REDACTION_RULES } from '../../src/redaction/redaction-policy.ts';
import { callKey } from '../../src/requests/model-request.ts';
import { summarizeQuestion } from '../../src/tasks/summarize/answer.ts';
import type { ModelSpec, SummarizeWorkflow } from '../../src/workflows/workflow.ts';

const WORKFLOW: SummarizeWorkflow = { name: 'w', task: 'summarize', cascade: [], summary: { maxWords: 50 } };

function modelOf(name: string, rules?: readonly ('email' | 'phone')[]): ModelSpec {
  return {
    name,
    provider: name,
    pool: name,
    id: name,
    contextTokens: 8000,
    maxOutputTokens: 500,
    structuredOutput: 'prompt',
    logprobs: false,
    ...(rules === undefined ? {} : { redact: { rules, patterns: [] } }),
  };
}

const CLOUD = modelOf('cloud', ['email', 'phone']);
const OWN = modelOf('own');
const TEXT = 'Ask jane@example.com or +49 170 1234567.';
const { prompt } = summarizeQuestion(WORKFLOW, 'single', TEXT);

describe('prepareRoute()', () => {
  it('gives every model the text that its provider may see', async () => {
    const redactors = new DocumentRedactors(TEXT);
    const sent = async (model: ModelSpec) =>
      (await prepareRoute(model, prompt, redactors, 'first')).route.request.messages[1]?.content;
    expect(await sent(CLOUD)).toContain('\nAsk [EMAIL_1] or [PHONE_1].\n');
    expect(await sent(modelOf('half', ['phone']))).toContain('\nAsk jane@example.com or [PHONE_1].\n');
    expect(await sent(OWN)).toContain(`\n${TEXT}\n`);
    expect(Object.fromEntries(redactors.counts())).toEqual({ email: 1, phone: 1 });
  });

  it('makes the same request on every worker, and for documents that differ in hidden values only', async () => {
    const keyOf = async (text: string) => {
      const question = summarizeQuestion(WORKFLOW, 'single', text);
      const { route } = await prepareRoute(CLOUD, question.prompt, new DocumentRedactors(text), 'first');
      return callKey('p', route.request);
    };
    expect(await keyOf(TEXT)).toBe(await keyOf(TEXT));
    expect(await keyOf(TEXT.replace('jane', 'bob'))).toBe(await keyOf(TEXT));
    expect(await keyOf(TEXT.replace('Ask', 'Tell'))).not.toBe(await keyOf(TEXT));
  });

  it('quotes to a provider in a repair turn what it said itself, and of another one’s reply no values', async () => {
    const rejected = {
      raw: 'see [email 1]',
      restored: 'see jane@example.com',
      detail: 'it names jane@example.com',
      isFormOnly: false,
    };
    const quoted = async (model: ModelSpec, by: string) => {
      const redactors = new DocumentRedactors(TEXT);
      const { route } = await prepareRoute(model, prompt, redactors, 'repair', { ...rejected, model: by });
      return route.request.messages
        .slice(2)
        .map(({ content }) => content)
        .join('\n');
    };
    expect(await quoted(CLOUD, 'cloud')).toMatch(/^see \[email 1\]\n/);
    expect(await quoted(CLOUD, 'own')).toMatch(/^see \[EMAIL_1\]\n/);
    for (const by of ['cloud', 'own']) expect(await quoted(CLOUD, by)).not.toContain('jane');
    expect(await quoted(OWN, 'cloud')).toMatch(/^see jane@example\.com\n/);
  });
});

describe('DocumentRedactors', () => {
  it('searches a long document once for all who ask at the same time, and lets others have their turn', async () => {
    const redactors = new DocumentRedactors(`${TEXT} `.repeat(20_000));
    const policy = { rules: REDACTION_RULES, patterns: [] };
    let turns = 0;
    const counting = setInterval(() => {
      turns += 1;
    }, 0);
    const [first, second] = await Promise.all([redactors.for(policy), redactors.for({ ...policy })]);
    clearInterval(counting);
    expect(first).toBe(second);
    expect(turns).toBeGreaterThan(1);
    expect(Object.fromEntries(redactors.counts())).toEqual({ email: 20_000, phone: 20_000 });
  });
});

describe('SliceRun.countRejection()', () => {
  it('counts every rejection, and what was paid for a reply once', () => {
    const claim = { batchId: 'b', workflow: 'w', slice: 0, token: 't', timezones: { workflow: 'UTC', global: 'UTC' } };
    const run = new SliceRun(claim, new Map());
    const entry = { cost: 7 } as JournalEntry;
    run.countRejection('too_long', [entry]);
    run.countRejection('too_long', [entry]);
    run.countRejection('low_confidence');
    expect(Object.fromEntries(run.rejections)).toEqual({ too_long: 2, low_confidence: 1 });
    expect(Object.fromEntries(run.rejectionCosts)).toEqual({ too_long: 7 });
  });
});
