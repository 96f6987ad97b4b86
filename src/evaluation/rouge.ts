import { stem } from '../local-model/porter-stemmer.ts';

export interface RougeScores {
  readonly rouge1: number;
  readonly rouge2: number;
  readonly rougeL: number;
  readonly rougeLsum: number;
}

/** ROUGE F1 with Porter stems, as in Google's rouge-score: words are runs of a-z and 0-9, those over 3 letters stemmed. */
export function rouge(
  candidate: string,
  reference: string,
  sentences: (text: string) => readonly string[],
): RougeScores {
  const a = tokens(candidate);
  const b = tokens(reference);
  return {
    rouge1: ngramF1(a, b, 1),
    rouge2: ngramF1(a, b, 2),
    rougeL: f1(longestCommonSubsequence(a, b).size, a.length, b.length),
    rougeLsum: summaryF1(sentences(candidate).map(tokens), sentences(reference).map(tokens)),
  };
}

function tokens(text: string): string[] {
  return (text.toLowerCase().match(/[a-z0-9]+/g) ?? []).map((word) => (word.length > 3 ? stem(word) : word));
}

function ngramF1(a: readonly string[], b: readonly string[], n: number): number {
  const left = counted(ngrams(a, n));
  const right = counted(ngrams(b, n));
  let overlap = 0;
  for (const [gram, count] of left) overlap += Math.min(count, right.get(gram) ?? 0);
  return f1(overlap, Math.max(0, a.length - n + 1), Math.max(0, b.length - n + 1));
}

/** Each sentence of the reference is matched with the union of its common subsequences with all candidate sentences. */
function summaryF1(candidate: readonly string[][], reference: readonly string[][]): number {
  const leftCounts = counted(candidate.flat());
  const rightCounts = counted(reference.flat());
  let hits = 0;
  for (const sentence of reference) {
    const union = new Set<number>();
    for (const other of candidate) for (const index of longestCommonSubsequence(sentence, other)) union.add(index);
    for (const index of union) {
      const token = sentence[index] ?? '';
      if ((leftCounts.get(token) ?? 0) > 0 && (rightCounts.get(token) ?? 0) > 0) {
        hits++;
        leftCounts.set(token, (leftCounts.get(token) ?? 0) - 1);
        rightCounts.set(token, (rightCounts.get(token) ?? 0) - 1);
      }
    }
  }
  return f1(hits, candidate.flat().length, reference.flat().length);
}

/** Indices in `a` of one longest common subsequence with `b`. */
function longestCommonSubsequence(a: readonly string[], b: readonly string[]): Set<number> {
  const width = b.length + 1;
  const table = new Int32Array((a.length + 1) * width);
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      table[i * width + j] =
        a[i - 1] === b[j - 1]
          ? (table[(i - 1) * width + j - 1] ?? 0) + 1
          : Math.max(table[(i - 1) * width + j] ?? 0, table[i * width + j - 1] ?? 0);
    }
  }
  const indices = new Set<number>();
  let i = a.length;
  let j = b.length;
  while (i > 0 && j > 0) {
    if (a[i - 1] === b[j - 1]) {
      indices.add(i - 1);
      i--;
      j--;
    } else if ((table[(i - 1) * width + j] ?? 0) >= (table[i * width + j - 1] ?? 0)) i--;
    else j--;
  }
  return indices;
}

function ngrams(words: readonly string[], n: number): string[] {
  return words.slice(0, Math.max(0, words.length - n + 1)).map((_, i) => words.slice(i, i + n).join(' '));
}

function counted(items: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}

function f1(overlap: number, candidateLength: number, referenceLength: number): number {
  return overlap === 0 ? 0 : (2 * overlap) / (candidateLength + referenceLength);
}
