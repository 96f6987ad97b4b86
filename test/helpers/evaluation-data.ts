import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LabelDescription, LabelledExample } from '../../src/local-model/local-model.ts';

/** The evaluation sets lie beside the project; the project is also tested without them. */
const FOLDER = new URL('../../../shared/data/', import.meta.url);

export const evaluationDataPresent = existsSync(fileURLToPath(new URL('agnews.test.jsonl', FOLDER)));

export interface SummaryItem {
  readonly text: string;
  readonly summary: string;
  readonly summaries?: readonly string[];
}

export interface ClassificationSet {
  readonly labels: readonly LabelDescription[];
  readonly train: readonly LabelledExample[];
  readonly test: readonly LabelledExample[];
}

export function readClassificationSet(name: string): ClassificationSet {
  const descriptions: Record<string, string> = JSON.parse(readFileSync(new URL(`${name}.labels.json`, FOLDER), 'utf8'));
  return {
    labels: Object.entries(descriptions).map(([label, description]) => ({ label, description })),
    train: readLines<LabelledExample>(`${name}.train.jsonl`),
    test: readLines<LabelledExample>(`${name}.test.jsonl`),
  };
}

/** Texts that none of the set's labels fits. */
export function readOutOfScope(name: string): readonly { readonly text: string }[] {
  return readLines(`${name}.oos.jsonl`);
}

export function readSummarySet(name: string): readonly SummaryItem[] {
  return readLines<SummaryItem>(`${name}.jsonl`);
}

/** `perLabel` examples of every label, a different choice for each `draw`; all there are of a label with fewer. */
export function drawExamples(set: ClassificationSet, perLabel: number, draw: number): readonly LabelledExample[] {
  const random = seededRandom(draw + 1);
  return set.labels.flatMap(({ label }) =>
    set.train
      .filter((example) => example.label === label)
      .map((example) => ({ example: { text: example.text, label: example.label }, order: random() }))
      .sort((a, b) => a.order - b.order)
      .slice(0, perLabel)
      .map(({ example }) => example),
  );
}

/** At most `count` items, evenly spread. */
export function spread<T>(items: readonly T[], count: number): readonly T[] {
  const kept = Math.min(count, items.length);
  return Array.from({ length: kept }, (_, i) => items[Math.floor((i * items.length) / kept)]!);
}

function readLines<T>(file: string): readonly T[] {
  return readFileSync(new URL(file, FOLDER), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line): T => JSON.parse(line));
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function seededRandom(seed: number): () => number {
  let state = seed * 0x9e3779b9;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
