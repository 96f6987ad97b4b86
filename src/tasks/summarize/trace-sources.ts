import type { Steps } from '../../runtime/steps.ts';
import { findSentenceStarts } from '../../text/split-text.ts';
import type { SentenceSource, TextSpan } from '../result-row.ts';

/** A sentence may join what several chunks say. */
const MAX_CHUNKS = 3;
/** A chunk that adds less of a sentence's weight than this to the ones before is no source of it. */
const MIN_SHARE = 0.2;
/** Letters that a stem keeps, so that "invoices" meets "invoice". */
const STEM_UNITS = 6;
/** A longer run of letters is no word. */
const WORD = /[\p{L}\p{M}]{1,64}|\p{N}+(?:[.,:]\p{N}+)*/gu;
/** Scripts without spaces: two letters stand for a word. */
const UNSPACED =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/**
 * Finds for each sentence of a summary the chunks that it comes from, by the words and numbers that they share: the one
 * that holds most of it, then what adds most to that. Words that stand in few chunks count most, and of equal chunks the
 * first is named. No model is asked; time is linear in the document's length.
 */
export function* traceSources(
  summary: string,
  text: string,
  chunks: readonly TextSpan[],
): Steps<readonly SentenceSource[]> {
  const sentences = sentencesOf(summary).map((sentence) => ({ sentence, terms: new Set(termsOf(sentence)) }));
  const wanted = new Set(sentences.flatMap(({ terms }) => [...terms]));
  const chunksWith = new Map<string, number>();
  const found: Set<string>[] = [];
  for (const { start, end } of chunks) {
    const here = new Set<string>();
    for (const term of termsOf(text.slice(start, end))) if (wanted.has(term)) here.add(term);
    for (const term of here) chunksWith.set(term, (chunksWith.get(term) ?? 0) + 1);
    found.push(here);
    yield;
  }
  const weightOf = (term: string): number => Math.log(1 + chunks.length / (chunksWith.get(term) ?? 0.5));
  const sumOf = (terms: Iterable<string>): number => [...terms].reduce((sum, term) => sum + weightOf(term), 0);
  return sentences.map(({ sentence, terms }) => {
    const least = MIN_SHARE * sumOf(terms);
    const sources: TextSpan[] = [];
    let left = [...terms];
    while (sources.length < MAX_CHUNKS && left.length > 0) {
      const added = found.map((here) => sumOf(left.filter((term) => here.has(term))));
      const most = Math.max(0, ...added);
      const index = added.indexOf(most);
      const chunk = chunks[index];
      if (chunk === undefined || most === 0 || most < least) break;
      sources.push({ start: chunk.start, end: chunk.end });
      left = left.filter((term) => found[index]?.has(term) !== true);
    }
    return { sentence, chunks: sources };
  });
}

function sentencesOf(summary: string): readonly string[] {
  const starts = [0, ...findSentenceStarts(summary, 0, summary.length)];
  return starts.map((start, index) => summary.slice(start, starts[index + 1]).trim()).filter((one) => one !== '');
}

function* termsOf(text: string): Generator<string> {
  for (const [word] of text.matchAll(WORD)) {
    if (UNSPACED.test(word)) {
      for (let at = 0; at < Math.max(1, word.length - 1); at++) yield word.slice(at, at + 2);
    } else {
      yield word.toLowerCase().slice(0, STEM_UNITS);
    }
  }
}
