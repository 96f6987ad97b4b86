import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { ScreenStream } from './screen.ts';

const SAMPLES = 3;
const LABELS_SHOWN = 20;
const DEFAULT_COLUMNS = 100;

/**
 * What a run has found, for a look at the screen: how often each label was given, and the first answers.
 *
 * @param file a `results.jsonl`; read once, in bounded memory
 */
export async function sampleLines(
  file: string,
  { columns = DEFAULT_COLUMNS }: Pick<ScreenStream, 'columns'>,
): Promise<readonly string[]> {
  const labels = new Map<string, number>();
  const samples: string[] = [];
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    const { id, result } = JSON.parse(line) as { id: string; result: { label?: string; summary?: string } };
    if (result.label !== undefined) labels.set(result.label, (labels.get(result.label) ?? 0) + 1);
    if (samples.length < SAMPLES)
      samples.push(oneLine(`  ${id}  ${result.label ?? result.summary ?? JSON.stringify(result)}`, columns));
  }
  const sorted = [...labels].sort(([, a], [, b]) => b - a);
  const rest = sorted.length - LABELS_SHOWN;
  const counts = sorted.slice(0, LABELS_SHOWN).map(([label, count]) => `${label} ${count.toLocaleString('en')}`);
  return [
    ...(counts.length === 0
      ? []
      : [
          oneLine(`  labels     ${counts.join(', ')}${rest > 0 ? `, and ${rest} more` : ''}`, Number.POSITIVE_INFINITY),
        ]),
    ...(samples.length === 0 ? [] : ['  for example', ...samples.map((line) => `  ${line}`)]),
  ];
}

/** Ids and answers come from outside: none may break the line or move the cursor. */
function oneLine(text: string, columns: number): string {
  const clean = text.replace(/[\r\n\t]+/g, ' ').replace(/\p{Cc}/gu, '');
  return clean.length <= columns - 4 ? clean : `${clean.slice(0, Math.max(20, columns - 5)).toWellFormed()}…`;
}
