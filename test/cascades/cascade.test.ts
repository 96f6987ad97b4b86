import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Attempt, nextCascadeStep } from '../../src/cascades/cascade.ts';
import type { Judgement, RejectionCode } from '../../src/prompts/question.ts';
import type { ModelSpec, Tier } from '../../src/workflows/workflow.ts';

function tier(name: string, acceptAt?: number): Tier {
  const model: ModelSpec = {
    name,
    provider: 'p',
    pool: 'p',
    id: name,
    contextTokens: 1000,
    maxOutputTokens: 100,
    structuredOutput: 'prompt',
    logprobs: false,
  };
  return { model, ...(acceptAt === undefined ? {} : { acceptAt }) };
}

/** Tiers 1 and 2 of a workflow whose tier 0 is the local model. */
const TIERS = [
  { index: 1, tier: tier('small', 0.8) },
  { index: 2, tier: tier('large') },
];

const answer = (confidence: number): Judgement<string> => ({ kind: 'answer', value: 'x', confidence });
const rejected = (code: RejectionCode): Judgement<string> => ({ kind: 'rejected', code, detail: code });

describe('nextCascadeStep()', () => {
  it('asks the cheapest tier first', () => {
    expect(nextCascadeStep(TIERS, [])).toEqual({ kind: 'ask', tier: 1, variant: 'first' });
  });

  it('accepts a confidence at the threshold and escalates one under it', () => {
    const at = (confidence: number) =>
      nextCascadeStep(TIERS, [{ tier: 1, variant: 'first', judgement: answer(confidence) }]);
    expect(at(0.8)).toMatchObject({ kind: 'accept', tier: 1, value: 'x', confidence: 0.8 });
    expect(at(0.799)).toEqual({ kind: 'ask', tier: 2, variant: 'first' });
  });

  it('accepts any valid reply of a tier without a threshold', () => {
    const attempts: Attempt<string>[] = [{ tier: 2, variant: 'first', judgement: answer(0) }];
    expect(nextCascadeStep(TIERS, attempts)).toMatchObject({ kind: 'accept', tier: 2, confidence: 0 });
  });

  it.each(['invalid_json', 'invalid_shape', 'label_not_in_set', 'empty_summary', 'too_long'] as const)(
    'repairs %s once, then escalates',
    (code) => {
      const first: Attempt<string> = { tier: 1, variant: 'first', judgement: rejected(code) };
      expect(nextCascadeStep(TIERS, [first])).toEqual({ kind: 'ask', tier: 1, variant: 'repair' });
      const repair: Attempt<string> = { tier: 1, variant: 'repair', judgement: rejected(code) };
      expect(nextCascadeStep(TIERS, [first, repair])).toEqual({ kind: 'ask', tier: 2, variant: 'first' });
    },
  );

  it('keeps the last doubtful answer where no tier is left, from whatever tier it comes', () => {
    const kept = (tier: number, variant: 'first' | 'repair', value: string): Attempt<string> => ({
      tier,
      variant,
      judgement: {
        kind: 'rejected',
        code: 'numbers_not_found',
        detail: 'x',
        kept: { value, warnings: ['numbers_not_found'] },
      },
    });
    const asked = [kept(1, 'first', 'a'), kept(1, 'repair', 'b')];
    expect(nextCascadeStep(TIERS, asked)).toEqual({ kind: 'ask', tier: 2, variant: 'first' });
    const warnings = ['numbers_not_found'];
    expect(nextCascadeStep(TIERS, [...asked, { tier: 2, variant: 'first', judgement: rejected('refused') }])).toEqual({
      kind: 'accept',
      tier: 1,
      value: 'b',
      warnings,
      attempt: 1,
    });
    const failed: Attempt<string> = { tier: 2, variant: 'first', judgement: { kind: 'failed' } };
    expect(nextCascadeStep(TIERS, [...asked, failed])).toMatchObject({ kind: 'accept', value: 'b' });
    expect(nextCascadeStep(TIERS, [failed])).toEqual({ kind: 'fail_with_call' });
    expect(nextCascadeStep(TIERS, [...asked, kept(2, 'first', 'c'), kept(2, 'repair', 'd')])).toMatchObject({
      tier: 2,
      value: 'd',
      attempt: 3,
    });
  });

  it('says that a confidence is unknown, and never that it is 0', () => {
    const last = [{ index: 2, tier: { model: TIERS[0]?.tier.model as never, acceptAt: 0.8 } }];
    const unknown: Attempt<string> = { tier: 2, variant: 'first', judgement: { kind: 'answer', value: 'x' } };
    expect(nextCascadeStep(last, [unknown])).toMatchObject({
      kind: 'fail',
      code: 'low_confidence',
      detail: "the reply states no confidence that can be read, and the last tier's acceptAt 0.8 asks for one",
    });
  });

  it('asks the last tier too for a document that is audited, and keeps the good answer should that fail', () => {
    const good: Attempt<string> = {
      tier: 1,
      variant: 'first',
      judgement: { kind: 'answer', value: 'x', confidence: 1 },
    };
    expect(nextCascadeStep(TIERS, [good])).toMatchObject({ kind: 'accept', tier: 1 });
    expect(nextCascadeStep(TIERS, [good], true)).toEqual({ kind: 'ask', tier: 2, variant: 'first' });
    const failed: Attempt<string> = { tier: 2, variant: 'first', judgement: { kind: 'failed' } };
    expect(nextCascadeStep(TIERS, [good, failed], true)).toMatchObject({ kind: 'accept', tier: 1, value: 'x' });
    const refused: Attempt<string> = { tier: 2, variant: 'first', judgement: rejected('refused') };
    expect(nextCascadeStep(TIERS, [good, refused], true)).toMatchObject({ kind: 'accept', tier: 1, value: 'x' });
  });

  it('has a threshold for each label where the tier has; a label without one is not accepted', () => {
    const [first, last] = TIERS;
    const tiers = [{ index: 1, tier: { model: first!.tier.model, acceptAtByLabel: { a: 0.5 } } }, last!];
    const said = (label: string): Attempt<string> => ({
      tier: 1,
      variant: 'first',
      judgement: { kind: 'answer', value: label, confidence: 0.9 },
      label,
    });
    expect(nextCascadeStep(tiers, [said('a')])).toMatchObject({ kind: 'accept', value: 'a' });
    expect(nextCascadeStep(tiers, [said('b')])).toEqual({ kind: 'ask', tier: 2, variant: 'first' });
  });

  it('raises the cap of a truncated reply once, then escalates', () => {
    const first: Attempt<string> = { tier: 1, variant: 'first', judgement: rejected('truncated') };
    expect(nextCascadeStep(TIERS, [first])).toEqual({ kind: 'ask', tier: 1, variant: 'raised_cap' });
    const raised: Attempt<string> = { tier: 1, variant: 'raised_cap', judgement: rejected('truncated') };
    expect(nextCascadeStep(TIERS, [first, raised])).toEqual({ kind: 'ask', tier: 2, variant: 'first' });
  });

  it('does not ask the same tier again after a refusal', () => {
    const first: Attempt<string> = { tier: 1, variant: 'first', judgement: rejected('refused') };
    expect(nextCascadeStep(TIERS, [first])).toEqual({ kind: 'ask', tier: 2, variant: 'first' });
  });

  it('fails with the reason of the last tier when none is left', () => {
    const attempts: Attempt<string>[] = [{ tier: 2, variant: 'first', judgement: rejected('refused') }];
    expect(nextCascadeStep(TIERS, attempts)).toEqual({ kind: 'fail', code: 'refused', detail: 'refused' });
    const last = [{ index: 1, tier: tier('small', 0.8) }];
    expect(nextCascadeStep(last, [{ tier: 1, variant: 'first', judgement: answer(0.5) }])).toMatchObject({
      kind: 'fail',
      code: 'low_confidence',
      detail: expect.stringMatching(/0\.500.*0\.8/),
    });
  });

  it('ends after at most three calls a tier, whatever the replies are', () => {
    const codes = ['invalid_json', 'truncated', 'refused', 'too_long', 'label_not_in_set'] as const;
    const judgement = fc.oneof(
      fc.constantFrom(...codes).map(rejected),
      fc.double({ min: 0, max: 1, noNaN: true }).map(answer),
    );
    fc.assert(
      fc.property(fc.array(judgement, { minLength: 7, maxLength: 7 }), (replies) => {
        const attempts: Attempt<string>[] = [];
        for (const reply of replies) {
          const step = nextCascadeStep(TIERS, attempts);
          if (step.kind !== 'ask') return;
          attempts.push({ tier: step.tier, variant: step.variant, judgement: reply });
        }
        throw new Error('Still asking after six calls');
      }),
    );
  });
});
