import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { usdToNano } from '../../src/money/money.ts';
import type { PartialAnswer, SentenceSource } from '../../src/tasks/result-row.ts';
import { ALL_TESTS } from '../helpers/all-tests.ts';
import { goodAnswer, HttpModel, type ModelCall } from '../helpers/http-model.ts';
import { NODE, programFiles } from '../helpers/program.ts';
import { startSimulatorProcess } from '../helpers/simulator-process.ts';
import { startTcpRedis, type TcpRedis } from '../helpers/tcp-redis.ts';
import { expectBalanced, type RowJson, toJsonl, Workspace } from '../helpers/workspace.ts';

const BOOKS = new URL('../../../shared/data/longdocs.jsonl', import.meta.url);
const booksPresent = existsSync(BOOKS);
const INJECTIONS = new URL('../fixtures/injections.jsonl', import.meta.url);

let model: HttpModel;
let redis: TcpRedis;
let workspace: Workspace;
let batches = 0;

beforeAll(async () => {
  model = await HttpModel.start();
  redis = await startTcpRedis();
});
beforeEach(() => model.reset());
afterEach(async () => await workspace?.[Symbol.asyncDispose]());
afterAll(async () => {
  await redis[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
});

interface Settings {
  readonly url: string;
  readonly parts?: string;
  readonly summary?: string;
  readonly context?: number;
  readonly lockSeconds?: number;
}

function configOf({
  url,
  parts = '{}',
  summary = 'maxWords: 60',
  context = 32_768,
  lockSeconds = 30,
}: Settings): string {
  batches += 1;
  return `
redis: ${redis.url}
redisPrefix: long-${process.pid}-${batches}
providers: { acme: { kind: openai, baseUrl: "${url}", limits: { concurrency: 16 } } }
models:
  small: { provider: acme, id: small-2026-01-01, contextTokens: ${context}, maxOutputTokens: 1024,
           price: { inputPerMillion: 0.15, outputPerMillion: 0.60 } }
workflows:
  digest: { task: summarize, summary: { ${summary} }, parts: ${parts}, cascade: [{ model: small }] }
  triage: { task: classify, labels: { billing: "Invoices and payments", bug: "Something crashes or is broken" },
            parts: ${parts}, cascade: [{ model: small }] }
worker: { lockSeconds: ${lockSeconds} }
`;
}

interface Document {
  readonly id: string;
  readonly text: string;
}

async function openWorkspace(settings: Settings, documents: readonly Document[]): Promise<void> {
  workspace = await Workspace.make({ 'nightmill.yaml': configOf(settings), 'docs.jsonl': toJsonl(documents) });
}

interface PlanJson {
  readonly calls: { readonly low: number; readonly worst: number };
  readonly long: { readonly documents: number; readonly parts: number; readonly depth: number };
  readonly costUsd: { readonly expected: number; readonly worst: number };
}

type LongResult = RowJson['result'] & {
  readonly sources?: readonly SentenceSource[];
  readonly partial?: PartialAnswer;
};

const resultOf = (row: RowJson | undefined): LongResult => row?.result as LongResult;

/** What a call holds between its document marks. */
function documentOf(call: ModelCall): string {
  return /\n?<document-(\w+)>\n([\s\S]*)\n<\/document-\1>$/.exec(call.document)?.[2] ?? '';
}

/** Calls that write notes on a part of the source. */
function mapCalls(): readonly ModelCall[] {
  return model.calls.filter(({ body }) => body.messages[0]?.content.includes('one part of a longer text') === true);
}

const sentence = (index: number): string => `Sentence ${index} of the long report says that mill ${index} turns. `;
const report = (sentences: number): string => Array.from({ length: sentences }, (_, index) => sentence(index)).join('');

describe.skipIf(!booksPresent)('long documents (needs ../shared/data beside the project)', () => {
  const books: readonly Document[] = booksPresent
    ? readFileSync(BOOKS, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Document)
        .map(({ id, text }) => ({ id, text }))
    : [];

  it.runIf(ALL_TESTS)(
    'five books and RFCs take exactly the calls that were planned, under their limit, and every sentence has sources',
    async () => {
      await using simulator = await startSimulatorProcess();
      await openWorkspace({ url: simulator.url, context: 8192, summary: 'maxWords: 120, provenance: true' }, books);
      const plan = await workspace.json<PlanJson>(['plan', 'docs.jsonl', '-w', 'digest']);
      expect(plan.long).toMatchObject({ documents: 5 });
      expect(plan.long.depth).toBeGreaterThanOrEqual(3);
      const run = ['run', 'docs.jsonl', '-w', 'digest', '-o', 'out', '--budget', String(plan.costUsd.worst)];
      const finished = await workspace.run(run);
      expect(finished, finished.stderr).toMatchObject({ code: 0 });
      const output = await workspace.readOutput('out');
      expectBalanced(
        output,
        books.map(({ id }) => id),
      );
      const bill = await simulator.bill();
      expect(bill).toHaveLength(plan.calls.low);
      expect(new Set(bill.map(({ requestHash }) => requestHash)).size).toBe(bill.length);
      expect(usdToNano(output.manifest.costUsd)).toBeLessThan(usdToNano(plan.costUsd.worst));
      for (const [index, row] of output.results.entries()) {
        const { text } = books[index] as Document;
        const sources = resultOf(row).sources ?? [];
        expect(sources.length).toBeGreaterThan(0);
        // The simulator quotes, so each sentence stands in the text.
        for (const { sentence: quoted, chunks } of sources) {
          expect(chunks.length, quoted).toBeGreaterThan(0);
          for (const { start, end } of chunks) {
            expect(start).toBeGreaterThanOrEqual(0);
            expect(end).toBeGreaterThan(start);
            expect(end).toBeLessThanOrEqual(text.length);
          }
        }
      }
    },
  );

  it('five books and RFCs are sent with every character in exactly one part, and the overlap apart from it', async () => {
    await openWorkspace({ url: model.url, parts: '{ overlapTokens: 60 }' }, books);
    const finished = await workspace.run(['run', 'docs.jsonl', '-w', 'digest', '-o', 'out']);
    expect(finished, finished.stderr).toMatchObject({ code: 0 });
    let overlaps = 0;
    for (const { text } of books) {
      const parts = mapCalls()
        .map((call) => ({ at: text.indexOf(documentOf(call)), call }))
        .filter(({ at }) => at !== -1)
        .sort((a, b) => a.at - b.at);
      expect(parts.map(({ call }) => documentOf(call)).join('') === text).toBe(true);
      for (const { at, call } of parts) {
        const before = /Before: ([\s\S]*)\n<\/context-\w+>/.exec(call.document)?.[1] ?? '';
        expect(text.slice(0, at).trimEnd().endsWith(before)).toBe(true);
        if (before !== '') overlaps += 1;
      }
    }
    expect(overlaps).toBeGreaterThan(mapCalls().length / 2);
  });
});

describe('a long document', () => {
  it.runIf(ALL_TESTS)('of 10 MB is summarized by a worker within 400 MB of memory', async () => {
    await using simulator = await startSimulatorProcess();
    const text = `${report(160_000)}`.slice(0, 10_000_000);
    expect(Buffer.byteLength(text)).toBe(10_000_000);
    await openWorkspace({ url: simulator.url, summary: 'maxWords: 60, provenance: true' }, [{ id: 'big', text }]);
    const id = `big-${process.pid}`;
    const submitted = await workspace.run(['submit', 'docs.jsonl', '-w', 'digest', '--id', id]);
    expect(submitted, submitted.stderr).toMatchObject({ code: 0 });
    const worker = spawn(NODE, [programFiles().program, 'worker', '--log-level', 'error'], {
      cwd: workspace.folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    try {
      await workspace.statusWhen(id, ({ state }) => state === 'completed');
      const peakMb = highWaterMb(worker.pid);
      expect(peakMb).toBeGreaterThan(50);
      console.log(`10 MB document: worker peak ${peakMb} MB, ${(await simulator.bill()).length} calls`);
      expect(peakMb).toBeLessThan(400);
    } finally {
      worker.kill('SIGKILL');
    }
    expect((await simulator.bill()).length).toBeGreaterThan(80);
  });

  it('loses no detail that its parts noted: facts of every part reach the last call', async () => {
    model.answer = (call) => {
      const numbers = documentOf(call).match(/mill (\d+) /g) ?? [];
      return mapCalls().includes(call)
        ? {
            content: JSON.stringify({ summary: 'A note.', facts: [`First: ${numbers[0]}`, `Last: ${numbers.at(-1)}`] }),
          }
        : { content: JSON.stringify({ summary: 'A short text.', facts: ['Nothing new'] }) };
    };
    await openWorkspace({ url: model.url, context: 2048 }, [{ id: 'long', text: report(600) }]);
    const finished = await workspace.run(['run', 'docs.jsonl', '-w', 'digest', '-o', 'out']);
    expect(finished, finished.stderr).toMatchObject({ code: 0 });
    const parts = mapCalls().length;
    expect(parts).toBeGreaterThan(8);
    const last = model.calls.at(-1) as ModelCall;
    expect(model.calls.length).toBeGreaterThan(parts + 1);
    const facts = documentOf(last).match(/^- First: .*$/gm) ?? [];
    expect(facts.length).toBeGreaterThan(4);
    expect(facts[0]).toBe('- First: mill 0');
    const order = facts.map((fact) => Number(fact.match(/\d+/)?.[0]));
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  });

  it('fails with the part that failed, unless its workflow allows that; then the row lists it', async () => {
    // In the middle, where a classification begins to ask.
    const poisoned = report(600).replace(sentence(300), `${sentence(300)}POISON `);
    model.answer = (call) =>
      call.document.includes('POISON')
        ? { status: 400, error: { code: 'content_filter', message: 'The text is against our rules' } }
        : goodAnswer(call);
    for (const workflow of ['digest', 'triage']) {
      await openWorkspace({ url: model.url, context: 2048 }, [{ id: 'long', text: poisoned }]);
      const strict = await workspace.run(['run', 'docs.jsonl', '-w', workflow, '-o', 'out']);
      expect(strict, strict.stderr).toMatchObject({ code: 4 });
      const { errors } = await workspace.readOutput('out');
      expect(errors[0]?.error?.code).toBe('refused_content');
      expect(errors[0]?.error?.message).toMatch(/^Part \d+ of \d+ \(characters \d+ to \d+\): /);
      await workspace[Symbol.asyncDispose]();

      await openWorkspace({ url: model.url, context: 2048, parts: '{ mayFail: 0.3 }' }, [
        { id: 'long', text: poisoned },
      ]);
      const lenient = await workspace.run(['run', 'docs.jsonl', '-w', workflow, '-o', 'out']);
      expect(lenient, lenient.stderr).toMatchObject({ code: 0 });
      const output = await workspace.readOutput('out');
      expectBalanced(output, ['long']);
      const { partial } = resultOf(output.results[0]);
      expect(partial?.parts).toBeGreaterThan(4);
      expect(partial?.failed.map(({ code }) => code)).toEqual(['refused_content']);
      const [failed] = partial?.failed ?? [];
      expect(poisoned.slice(failed?.start, failed?.end)).toContain('POISON');
      await workspace[Symbol.asyncDispose]();
    }
  });

  it('is asked about until its parts agree, the same parts again after a crash', async () => {
    // The ends are of another opinion, so that one wave is not enough.
    model.answer = (call) => {
      const first = Number(/mill (\d+)/.exec(documentOf(call))?.[1]);
      return { content: JSON.stringify({ label: first < 200 || first > 700 ? 'billing' : 'bug', confidence: 0.9 }) };
    };
    const documents = [{ id: 'long', text: report(900) }];
    await openWorkspace({ url: model.url, context: 1536, lockSeconds: 2 }, documents);
    const plan = await workspace.json<PlanJson>(['plan', 'docs.jsonl', '-w', 'triage']);
    expect((await workspace.run(['run', 'docs.jsonl', '-w', 'triage', '-o', 'out'])).code).toBe(0);
    const undisturbed = await workspace.readOutput('out');
    const asked = new Set(model.calls.map(({ hash }) => hash));
    expect(asked.size).toBe(model.calls.length);
    expect(asked.size).toBeLessThan(plan.long.parts);
    expect(asked.size).toBeGreaterThan(plan.calls.low + 1);
    expect(resultOf(undisturbed.results[0]).label).toBe('bug');
    // 0.9 of at most the parts that were asked.
    expect(resultOf(undisturbed.results[0]).confidence).toBeLessThan((0.9 * asked.size) / plan.long.parts);
    await workspace[Symbol.asyncDispose]();

    model.calls.length = 0;
    await openWorkspace({ url: model.url, context: 1536, lockSeconds: 2 }, documents);
    model.holdAfter(plan.calls.low + 1);
    const run = workspace.start(['run', 'docs.jsonl', '-w', 'triage', '-o', 'out']);
    await model.until(() => model.count('answered') > plan.calls.low && model.count('waiting') > 0);
    run.kill('SIGKILL');
    await run.exited;
    model.release();
    const again = await workspace.run(['run', 'docs.jsonl', '-w', 'triage', '-o', 'out']);
    expect(again, again.stderr).toMatchObject({ code: 0 });
    expect(new Set(model.calls.map(({ hash }) => hash))).toEqual(asked);
    const repeated = await workspace.readOutput('out');
    expect(repeated.results[0]?.result).toEqual(undisturbed.results[0]?.result);
  });
});

describe('documents that give orders', () => {
  interface Injection extends Document {
    readonly label: string;
  }

  const injections = readFileSync(INJECTIONS, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Injection);

  it('get the label that they deserve and a summary, from a provider that reads them between their marks', async () => {
    const folder = await Workspace.make({
      'truth.jsonl': toJsonl(injections.map(({ text, label }) => ({ text: text.toWellFormed().trim(), label }))),
    });
    await using _folder = folder;
    await using simulator = await startSimulatorProcess({
      truthFile: folder.path('truth.jsonl'),
      models: {
        'small-2026-01-01': {
          price: { inputPerMillion: 0.15, outputPerMillion: 0.6 },
          contextTokens: 32_768,
          accuracy: 1,
        },
      },
    });
    await openWorkspace(
      { url: simulator.url },
      injections.map(({ id, text }) => ({ id, text })),
    );
    for (const workflow of ['triage', 'digest']) {
      const finished = await workspace.run(['run', 'docs.jsonl', '-w', workflow, '-o', workflow]);
      expect(finished, finished.stderr).toMatchObject({ code: 0 });
      expectBalanced(
        await workspace.readOutput(workflow),
        injections.map(({ id }) => id),
      );
    }
    const { results } = await workspace.readOutput('triage');
    expect(results.map(({ id, result }) => [id, result?.label])).toEqual(
      injections.map(({ id, label }) => [id, label]),
    );
  });
});

/** Resident memory at its highest, as the kernel keeps it; 0 where it does not say. */
function highWaterMb(pid: number | undefined): number {
  try {
    const kilobytes = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0;
    return Math.round(Number(kilobytes) / 1000);
  } catch {
    return 0;
  }
}
