import { Readable } from 'node:stream';
import type { App } from '../../app.ts';
import type { Evaluation } from '../../evaluation/evaluation.ts';
import { countVerdicts, type JudgedPair, type JudgeReport, judgeRequests } from '../../evaluation/judge.ts';
import { MODEL_WORKFLOW } from '../../workflows/model-workflow.ts';
import { readingOf } from '../input-reading.ts';
import { openInputs } from '../open-inputs.ts';
import { readRows } from '../results.ts';
import { type SubmitAnswer, submitDocuments } from '../submit-documents.ts';

/** Documents of a golden set that both runs have summarized. */
export function judgedPairs(golden: string, before: Evaluation, after: Evaluation): readonly JudgedPair[] {
  const summaries = ({ items }: Evaluation) =>
    new Map(
      items.flatMap(({ id, got, scores }) => (got === undefined || 'accuracy' in scores ? [] : [[id, got] as const])),
    );
  const [old, now] = [summaries(before), summaries(after)];
  return golden.split('\n').flatMap((line) => {
    if (line.trim() === '') return [];
    const { id, text } = JSON.parse(line) as { readonly id: string | number; readonly text?: unknown };
    const [first, second] = [old.get(String(id)), now.get(String(id))];
    if (first === undefined || second === undefined || typeof text !== 'string') return [];
    return [{ id: String(id), text, before: first, after: second }];
  });
}

/**
 * Has a model of the config judge pairs, as a batch of requests to it. Undefined: there is nothing to ask.
 *
 * @throws {NightmillError} `workflow_unknown`: there is no such model
 */
export async function submitJudgement(
  app: App,
  pairs: readonly JudgedPair[],
  model: string,
  signal?: AbortSignal,
): Promise<SubmitAnswer | undefined> {
  const requests = judgeRequests(pairs);
  if (requests.length === 0) return undefined;
  const body = Readable.from(requests.map((request) => `${JSON.stringify(request)}\n`));
  const reading = readingOf({}, { isRequest: true });
  await using opened = await openInputs(
    app.config,
    { names: [], streams: [{ name: 'judge.jsonl', body }] },
    reading,
    signal,
  );
  return await submitDocuments(app, {
    workflow: MODEL_WORKFLOW,
    model,
    source: opened.source,
    isEvaluation: true,
    signal,
  });
}

/** @param batchId of the ended batch; undefined: all pairs were equal */
export async function readJudgement(
  app: App,
  pairs: readonly JudgedPair[],
  judge: string,
  batchId: string | undefined,
): Promise<JudgeReport> {
  const replies = new Map<string, string>();
  let costUsd = 0;
  for (const kind of batchId === undefined ? [] : (['results', 'errors'] as const)) {
    for await (const row of readRows(app, batchId ?? '', kind)) {
      const { id, result, costUsd: cost } = row as JudgeRow;
      costUsd += cost;
      const content = result?.choices[0]?.message.content;
      if (typeof content === 'string') replies.set(id, content);
    }
  }
  return { judge, ...countVerdicts(pairs, replies), costUsd };
}

interface JudgeRow {
  readonly id: string;
  readonly result?: { readonly choices: readonly { readonly message: { readonly content?: unknown } }[] };
  readonly costUsd: number;
}
