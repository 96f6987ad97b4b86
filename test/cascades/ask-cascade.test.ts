import { describe, expect, it } from 'vitest';
import type { CallModelContext } from '../../src/calls/call-context.ts';
import { SliceRun } from '../../src/calls/slice-run.ts';
import { askCascade } from '../../src/cascades/ask-cascade.ts';
import type { JournalEntry } from '../../src/ledger/journal-entry.ts';
import { DocumentRedactors } from '../../src/redaction/document-redactors.ts';
import { buildModelRequest, callKey } from '../../src/requests/model-request.ts';
import { classifyQuestion } from '../../src/tasks/classify/answer.ts';
import type { ReasoningSpec } from '../../src/workflows/reasoning.ts';
import type { ClassifyWorkflow, ModelSpec } from '../../src/workflows/workflow.ts';

const TEXT = 'The invoice is wrong.';

function modelOf(reasoning?: ReasoningSpec): ModelSpec {
  return {
    name: 'small',
    provider: 'acme',
    id: 'small-2026-01-01',
    contextTokens: 32_768,
    maxOutputTokens: 8000,
    structuredOutput: 'prompt',
    logprobs: false,
    ...(reasoning === undefined ? {} : { reasoning }),
  };
}

/** What a document fails with whose replies, the one with the raised cap too, were cut off after so much thinking. */
async function cutAfter(thinkingShare: number, reasoning?: ReasoningSpec): Promise<unknown> {
  const model = modelOf(reasoning);
  const workflow: ClassifyWorkflow = {
    name: 'w',
    task: 'classify',
    cascade: [{ model }],
    labels: ['billing', 'bug'].map((label) => ({ label, description: label })),
    examples: [],
  };
  const question = classifyQuestion(workflow, TEXT);
  const paid = (['first', 'raised_cap'] as const).map((variant): [string, JournalEntry] => {
    const request = buildModelRequest(model, question.prompt, variant);
    const outputTokens = request.maxOutputTokens;
    const reasoningTokens = Math.ceil(outputTokens * thinkingShare);
    const usage = { inputTokens: 50, cachedInputTokens: 0, outputTokens, reasoningTokens };
    const reply = { text: '', finish: 'length' as const };
    return [
      callKey('acme', request),
      { document: 0, model: 'small', tier: 0, usage, cost: 1, reply, durationMs: 1 } satisfies JournalEntry,
    ];
  });
  const timezones = { workflow: 'UTC', global: 'UTC' };
  const slice = new SliceRun({ batchId: 'b', workflow: 'w', slice: 0, token: 't', timezones }, new Map(paid));
  const tiers = [{ index: 0, tier: { model } }];
  // Every reply is in the journal already, so nothing is called.
  const models = {} as CallModelContext;
  const context = { models, owner: slice, document: 0, tiers, redactors: new DocumentRedactors(TEXT), windowShare: 1 };
  return await askCascade(context, question).catch((error: unknown) => error);
}

describe('a reply that was cut off', () => {
  it('while thinking names the setting that gives room', async () => {
    expect(await cutAfter(1)).toMatchObject({
      code: 'truncated',
      message: expect.stringMatching(
        /cut off at its output limit; \d+ of \d+ tokens were thinking: write models\.small\.reasoning: none, or /,
      ),
    });
    expect(await cutAfter(0.5)).toMatchObject({ message: expect.stringContaining('models.small.reasoning') });
  });

  it('while thinking longer than the room names the room', async () => {
    expect(await cutAfter(1, { ask: { effort: 'low' }, tokens: 500 })).toMatchObject({
      code: 'truncated',
      message: expect.stringContaining('raise models.small.reasoning.tokens from 500 to 1000'),
    });
  });

  it('while answering is only said to be cut off', async () => {
    const error = await cutAfter(0.4);
    expect(error).toMatchObject({
      code: 'truncated',
      message: expect.stringContaining('at its output limit (truncated)'),
    });
    expect(error).not.toMatchObject({ message: expect.stringContaining('reasoning') });
  });
});
