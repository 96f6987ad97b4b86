import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { PackageDocument } from './package-documents.ts';

export interface Verified {
  readonly costUsd: number;
  /** The summary or the label of each document by its id. */
  readonly answers: ReadonlyMap<string, string>;
  /** How many documents each label has; empty for summaries. */
  readonly labels: ReadonlyMap<string, number>;
  /** What is wrong, one sentence each; empty where everything agrees. */
  readonly problems: readonly string[];
}

interface Row {
  readonly id: string;
  readonly status: string;
  readonly result?: { readonly summary?: string; readonly label?: string };
  readonly metadata?: unknown;
  readonly costUsd: number;
}

interface Manifest {
  readonly batch: string;
  readonly state: string;
  readonly workflow: string;
  readonly documents: { readonly total: number; readonly succeeded: number; readonly [outcome: string]: number };
  readonly files: readonly { key: string; bytes: number; sha256: string; lines: number }[];
  readonly costUsd: number;
  readonly uncertainUsd: number;
}

/** Compares a download, and the store's objects behind it, with the documents that were sent. */
export function verifyDownload(run: {
  readonly output: string;
  readonly batchId: string;
  readonly workflow: string;
  readonly sent: readonly PackageDocument[];
  /** The folder of the file store. */
  readonly store: string;
}): Verified {
  const { sent } = run;
  const manifest = JSON.parse(readFileSync(join(run.output, 'manifest.json'), 'utf8')) as Manifest;
  const results = readRows(join(run.output, 'results.jsonl'));
  const errors = readRows(join(run.output, 'errors.jsonl'));
  const problems: string[] = [];
  const expect = (holds: boolean, problem: string) => {
    if (!holds) problems.push(problem);
  };

  expect(manifest.batch === run.batchId, `the manifest is of batch ${manifest.batch}`);
  expect(manifest.workflow === run.workflow, `the manifest is of workflow ${manifest.workflow}`);
  expect(manifest.state === 'completed', `the batch is ${manifest.state}`);
  const { total, ...outcomes } = manifest.documents;
  const sum = Object.values(outcomes).reduce((a, b) => a + b, 0);
  expect(total === sent.length, `the manifest counts ${total} documents of ${sent.length}`);
  expect(sum === total, `the manifest's outcomes add up to ${sum}, not ${total}`);
  expect(
    outcomes.succeeded === results.length,
    `${results.length} result rows, the manifest counts ${outcomes.succeeded}`,
  );

  for (const file of manifest.files) {
    const bytes = readFileSync(join(run.store, file.key));
    const lines = gunzipSync(bytes).toString('utf8').split('\n').length - 1;
    expect(bytes.length === file.bytes, `${file.key} has ${bytes.length} bytes, the manifest says ${file.bytes}`);
    expect(createHash('sha256').update(bytes).digest('hex') === file.sha256, `${file.key} has another checksum`);
    expect(lines === file.lines, `${file.key} has ${lines} lines, the manifest says ${file.lines}`);
  }

  const sentIds = sent.map(({ id }) => id);
  const once = new Set([...results, ...errors].map(({ id }) => id));
  expect(once.size === results.length + errors.length, 'a document has more than one row');
  expect(sentIds.every((id) => once.has(id)) && once.size === sent.length, 'the rows are not of the documents sent');
  const succeeded = new Set(results.map(({ id }) => id));
  const inOrder = sentIds.filter((id) => succeeded.has(id));
  expect(
    results.every(({ id }, index) => id === inOrder[index]),
    'results.jsonl is not in input order',
  );
  for (const { id, status } of errors) problems.push(`${id} ${status}`);

  const metadata = new Map(sent.map((document) => [document.id, JSON.stringify(document.metadata)]));
  const answers = new Map<string, string>();
  const labels = new Map<string, number>();
  for (const { id, result, metadata: returned } of results) {
    const answer = (run.workflow === 'summarize' ? result?.summary : result?.label) ?? '';
    expect(answer.trim() !== '', `${id} has no answer`);
    answers.set(id, answer);
    expect(JSON.stringify(returned) === metadata.get(id), `${id} came back with other metadata`);
    if (result?.label !== undefined) labels.set(result.label, (labels.get(result.label) ?? 0) + 1);
  }
  const spent = [...results, ...errors].reduce((cost, row) => cost + row.costUsd, 0);
  expect(spent === 0 && manifest.costUsd === 0 && manifest.uncertainUsd === 0, 'the local model cost money');
  return { costUsd: manifest.costUsd, answers, labels, problems };
}

function readRows(path: string): readonly Row[] {
  const text = readFileSync(path, 'utf8');
  return text === ''
    ? []
    : text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Row);
}
