import type { App } from '../../app.ts';
import { isBatchId } from '../../batches/batch-id.ts';
import { NightmillError } from '../../errors.ts';
import { evaluate } from '../../evaluation/evaluate.ts';
import type { Answered, Evaluation, Golden } from '../../evaluation/evaluation.ts';
import { readGolden } from '../../evaluation/read-golden.ts';
import { splitSentences } from '../../local-model/split-sentences.ts';
import { readManifestBytes } from '../../results/result-files.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { storeKeys } from '../../store/store-keys.ts';
import { readRows } from '../results.ts';

/** @throws {NightmillError} `input_invalid` with the line that cannot be used */
export function parseGolden(text: string, name: string): readonly Golden[] {
  const reading = readGolden(text);
  if (reading.kind === 'read') return reading.golden;
  throw new NightmillError(
    'input_invalid',
    `Cannot evaluate with ${name}: line ${reading.line} ${reading.problem} (docs/evaluation.md).`,
  );
}

/** Scores an ended batch against a golden set and keeps the evaluation in the store, under the batch's id. */
export async function evaluateBatch(app: App, batchId: string, golden: readonly Golden[]): Promise<Evaluation> {
  const answers = new Map<string, Answered>();
  for (const kind of ['results', 'errors'] as const) {
    for await (const row of readRows(app, batchId, kind)) {
      const answer = answeredOf(row as StoredRow);
      answers.set(answer.id, answer);
    }
  }
  const manifest = JSON.parse(Buffer.from(await readManifestBytes(app.store, batchId)).toString());
  const evaluation = evaluate(golden, answers, {
    run: batchId,
    workflow: manifest.workflow,
    evaluatedAt: new Date(app.clock.now()).toISOString(),
    hashes: manifest.hashes,
    sentences: splitSentences,
  });
  await app.store.put(storeKeys.evaluation(batchId), Buffer.from(JSON.stringify(evaluation)));
  return evaluation;
}

/** @throws {NightmillError} `usage` where there is none */
export async function storedEvaluation(app: Pick<App, 'store'>, run: string): Promise<Evaluation> {
  const bytes = isBatchId(run) ? await app.store.get(storeKeys.evaluation(run)) : undefined;
  if (bytes !== undefined) return JSON.parse(Buffer.from(bytes).toString());
  throw new NightmillError(
    'usage',
    `There is no evaluation ${JSON.stringify(run.slice(0, 100))} in ${app.store.url}: nightmill eval prints the name of each run.`,
  );
}

/** Every evaluation that is stored, in no order. */
export async function* storedEvaluations(store: ObjectStore): AsyncGenerator<Evaluation> {
  for await (const { key } of store.list(storeKeys.evaluations)) {
    const bytes = await store.get(key);
    if (bytes !== undefined) yield JSON.parse(Buffer.from(bytes).toString());
  }
}

interface StoredRow {
  readonly id: string;
  readonly status: string;
  readonly result?: {
    readonly label?: string;
    readonly confidence?: number;
    readonly summary?: string;
    readonly fields?: unknown;
  };
  readonly error?: { readonly code: string };
  readonly costUsd: number;
  readonly durationMs?: number;
}

function answeredOf({ id, status, result, error, costUsd, durationMs }: StoredRow): Answered {
  return {
    id,
    status,
    ...result,
    ...(error === undefined ? {} : { errorCode: error.code }),
    costUsd,
    ...(durationMs === undefined ? {} : { durationMs }),
  };
}
