import type { Golden } from './evaluation.ts';

export type GoldenReading =
  | { readonly kind: 'read'; readonly golden: readonly Golden[] }
  | { readonly kind: 'bad'; readonly line: number; readonly problem: string };

/** Reads a golden set: JSON lines with `id`, `text` and what is wanted: `label`, `summary`, `mustHave`, `mustNotHave`, `fields`. */
export function readGolden(text: string): GoldenReading {
  const golden: Golden[] = [];
  const ids = new Set<string>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const entry = goldenOf(line);
    const bad = (problem: string): GoldenReading => ({ kind: 'bad', line: index + 1, problem });
    if (entry === undefined) return bad('is no JSON object with an "id"');
    if (ids.has(entry.id)) return bad(`has the id ${JSON.stringify(entry.id)} again`);
    const { id: _, ...wanted } = entry;
    if (Object.keys(wanted).length === 0)
      return bad('says nothing of what is wanted: label, summary, mustHave, mustNotHave or fields');
    ids.add(entry.id);
    golden.push(entry);
  }
  return golden.length === 0
    ? { kind: 'bad', line: 1, problem: 'is missing: the set is empty' }
    : { kind: 'read', golden };
}

function goldenOf(line: string): Golden | undefined {
  try {
    const { id, label, summary, mustHave, mustNotHave, fields } = JSON.parse(line);
    if (typeof id !== 'string' && typeof id !== 'number') return undefined;
    return {
      id: String(id),
      ...(typeof label === 'string' ? { label } : {}),
      ...(typeof summary === 'string' ? { summary } : {}),
      ...(isTexts(mustHave) ? { mustHave } : {}),
      ...(isTexts(mustNotHave) ? { mustNotHave } : {}),
      ...(fields === undefined ? {} : { fields }),
    };
  } catch {
    return undefined;
  }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((text) => typeof text === 'string');
}
