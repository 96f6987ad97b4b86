import { describe, expect, it } from 'vitest';
import { planDocument, promptSizes, shapeDocument } from '../../../src/plans/plan.ts';
import { countRequestTokens } from '../../../src/requests/estimate.ts';
import { buildModelRequest } from '../../../src/requests/model-request.ts';
import { partContext } from '../../../src/tasks/long-documents/part-context.ts';
import { noteBudget, summarizeQuestion } from '../../../src/tasks/summarize/answer.ts';
import { windowsOf } from '../../../src/tasks/tasks.ts';
import { chunkText } from '../../../src/text/chunk-text.ts';
import { countTokens } from '../../../src/text/tokens.ts';
import type { ModelSpec, PartRules, SummarizeWorkflow } from '../../../src/workflows/workflow.ts';

const MODEL: ModelSpec = {
  name: 'small',
  provider: 'acme',
  pool: 'acme',
  id: 'small-1',
  contextTokens: 4096,
  maxOutputTokens: 1024,
  structuredOutput: 'json_schema',
  logprobs: false,
};

const workflow = (parts?: PartRules, contextTokens = 4096): SummarizeWorkflow => ({
  name: 'digest',
  task: 'summarize',
  cascade: [{ model: { ...MODEL, contextTokens: 128_000 } }, { model: { ...MODEL, contextTokens } }],
  summary: { maxWords: 60 },
  ...(parts === undefined ? {} : { parts }),
});

const SECTION = (name: string): string =>
  `## ${name}\n\n${`The ${name} stands on the hill at night. `.repeat(200)}\n\n`;
const TEXT = `# Guide\n\n${['mill', 'tower', 'river', 'bridge'].map(SECTION).join('')}`;

describe('windowsOf()', () => {
  it('leaves room in the smallest context for the part, its context, the prompt and the reply', () => {
    const spec = workflow({ overlapTokens: 200 });
    const { part, overlap, headings } = windowsOf(spec);
    expect({ overlap, headings }).toEqual({ overlap: 200, headings: 64 });
    for (const chunk of chunkText(TEXT, { maxTokens: part + overlap, overlapTokens: overlap })) {
      const question = summarizeQuestion(
        spec,
        'map',
        TEXT.slice(chunk.start, chunk.end),
        partContext(TEXT, chunk, headings),
      );
      const request = buildModelRequest(MODEL, question.prompt, 'first');
      expect(countRequestTokens(request) + request.maxOutputTokens).toBeLessThan(MODEL.contextTokens * 0.9);
    }
  });

  it('cuts longer documents than parts.maxTokens, and gives context at most a quarter of a small window', () => {
    expect(windowsOf(workflow({ maxTokens: 500 }))).toMatchObject({ whole: 500, part: 500, overlap: 0 });
    const small = windowsOf(workflow({ overlapTokens: 4000 }));
    expect(small.overlap + small.headings).toBeLessThan(small.part / 2);
    expect(windowsOf(workflow({ maxTokens: 256, overlapTokens: 4000 })).overlap).toBeLessThanOrEqual(256);
  });

  it('halves what a part may hold where a provider found it too long', () => {
    const usual = windowsOf(workflow());
    const half = windowsOf(workflow(), { share: 0.5, documentTokens: 1000 });
    expect(half.whole).toBe(500);
    expect(half.part).toBeLessThan(500);
    expect(usual.part).toBeGreaterThan(2000);
    expect(noteBudget(workflow(), half.notes).fanIn).toBeGreaterThanOrEqual(2);
  });
});

describe('partContext()', () => {
  it('names the headings above a part but not its own, and what comes before it', () => {
    const chunks = chunkText(TEXT, { maxTokens: 400, overlapTokens: 30 });
    const contexts = chunks.map((chunk) => partContext(TEXT, chunk, 64));
    expect(contexts[0]).toBe('');
    const inside = contexts.findIndex((_, index) => TEXT.slice(chunks[index]?.start).startsWith('The tower'));
    expect(contexts[inside]).toMatch(/^Headings: Guide > tower\nBefore: The (tower|mill) stands/);
    const first = contexts.findIndex((_, index) => TEXT.slice(chunks[index]?.start).startsWith('## tower'));
    if (first !== -1) expect(contexts[first]).toMatch(/^Headings: Guide(\n|$)/);
  });

  it('leaves outer headings out first where they have too many tokens', () => {
    const chunk = { start: 0, end: 4, overlapStart: 0, tokens: 1, headingPath: ['word '.repeat(80), 'Inner'] };
    expect(partContext('text', chunk, 64)).toBe('Headings: Inner');
    expect(partContext('text', chunk, 0)).toBe('');
  });
});

describe('shapeDocument()', () => {
  it('knows the calls and the depth of a tree before the first call', () => {
    const spec = workflow();
    expect(shapeDocument(spec, 100)).toMatchObject({ parts: 1, calls: 1, depth: 1 });
    const { fanIn } = noteBudget(spec, windowsOf(spec).notes);
    expect(shapeDocument(spec, 1e6, fanIn)).toMatchObject({ calls: fanIn + 1, combines: 0, reduces: 1, depth: 2 });
    expect(shapeDocument(spec, 1e6, fanIn + 1)).toMatchObject({ combines: 2, reduces: 1, depth: 3 });
  });

  it('plans more tokens for parts than the document has, and output for every call', () => {
    const spec = workflow();
    const tokens = countTokens(TEXT);
    const sizes = promptSizes(spec, MODEL);
    const plan = planDocument(spec, sizes, shapeDocument(spec, tokens, 4));
    expect(plan.calls).toBe(5);
    expect(plan.inputTokens).toBeGreaterThan(tokens + 4 * sizes.map.prompt);
    expect(plan.outputTokens).toBe(4 * sizes.map.output + sizes.reduce.output);
  });
});
