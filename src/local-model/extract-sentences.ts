import { countKeyFacts, isForActing } from './key-facts.ts';
import type { Extract } from './local-model.ts';
import { proseText } from './prose-text.ts';
import { rankSentences } from './rank-sentences.ts';
import { cosine } from './sentence-vectors.ts';
import { splitSentences } from './split-sentences.ts';
import { countWords, hasWords } from './words.ts';

/** Only the best of a long document are compared with each other. */
const MAX_CANDIDATES = 300;
const REPETITION_PENALTY = 1;
/** The score of an average sentence: one that adds less is not worth filling the second half of the words with. */
const AVERAGE_SCORE = 0;
/** For each kind of fact, in standard deviations of the scores, and for how many kinds. */
const FACT_BONUS = 2;
const MAX_FACTS = 2;

export interface ExtractOptions {
  /** Space-separated words that the extract may have, at least 1. */
  readonly maxWords: number;
  /** Default: as many as fit. */
  readonly maxSentences?: number;
}

/**
 * The sentences of `text` that say most about it, in their order, joined by spaces: at most `maxWords` words. Where no
 * sentence is that short, the beginning of the best one, cut at a word. Empty only for a text without a word.
 *
 * Sentences are ranked by a linear model, then taken one by one, each penalised by its similarity to those taken
 * before (maximal marginal relevance); in mails, minutes, notes and READMEs those with questions, dates, amounts and decisions
 * come first; once half of the words are used, only sentences above the average. Markdown markup
 * is left out.
 */
export function extractSentences(text: string, options: ExtractOptions): Omit<Extract, 'isEnglish'> {
  const sentences = sentencesOf(text);
  if (sentences.length === 0) return { text: '', isWhole: false };
  const { scores: ranked, vectors } = rankSentences(sentences);
  const scores = isForActing(text) ? ranked.map((score, j) => score + factBonus(sentences[j] ?? '')) : ranked;
  const lengths = sentences.map(countWords);
  const order = scores.map((_, j) => j).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
  const candidates = new Set(order.filter((j) => (lengths[j] ?? 0) <= options.maxWords).slice(0, MAX_CANDIDATES));
  if (candidates.size === 0) {
    return { text: firstWords(sentences[order[0] ?? 0] ?? '', options.maxWords), isWhole: false };
  }

  const chosen: number[] = [];
  const penalties = new Map<number, number>();
  let wordsLeft = options.maxWords;
  while (candidates.size > 0 && chosen.length < (options.maxSentences ?? Number.POSITIVE_INFINITY)) {
    let best = -1;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (const j of candidates) {
      const score = (scores[j] ?? 0) - REPETITION_PENALTY * (penalties.get(j) ?? 0);
      if (score > bestScore) [best, bestScore] = [j, score];
    }
    if (bestScore < AVERAGE_SCORE && 2 * wordsLeft < options.maxWords) break;
    chosen.push(best);
    candidates.delete(best);
    wordsLeft -= lengths[best] ?? 0;
    for (const j of candidates) {
      if ((lengths[j] ?? 0) > wordsLeft) {
        candidates.delete(j);
      } else {
        const similarity = cosine(vectors[j] ?? new Map(), vectors[best] ?? new Map());
        penalties.set(j, Math.max(penalties.get(j) ?? 0, similarity));
      }
    }
  }
  const chosenText = chosen
    .sort((a, b) => a - b)
    .map((j) => sentences[j])
    .join(' ');
  return { text: chosenText, isWhole: chosen.length === sentences.length };
}

function factBonus(sentence: string): number {
  return FACT_BONUS * Math.min(MAX_FACTS, countKeyFacts(sentence));
}

function sentencesOf(text: string): readonly string[] {
  const prose = splitSentences(proseText(text)).filter(hasWords);
  // A text of nothing but headings, tables or code still has an extract.
  return prose.length > 0 ? prose : splitSentences(text).filter(hasWords);
}

function firstWords(sentence: string, maxWords: number): string {
  return (sentence.match(/\S+/g) ?? []).slice(0, maxWords).join(' ');
}
