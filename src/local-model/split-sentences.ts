/** The segmenter gets no more at a time, so that a text without a full stop costs no more than another. */
const BLOCK_CHARS = 4_000;

/** A full stop after one of these ends no sentence. */
const ABBREVIATION = new RegExp(
  `(?:^|[\\s("'“‘])(?:${[
    'mr mrs ms dr prof sr jr st rev hon gen col lt sgt capt gov sen rep pres dept univ inc ltd co corp bros',
    'vs v etc e\\.g i\\.e cf al fig figs eq eqs ch vol nos pp p eds approx est ca',
    'jan feb mar apr jun jul aug sep sept oct nov dec tue thu fri',
    'u\\.s u\\.k u\\.n d\\.c a\\.m p\\.m ph\\.d [a-hj-z]',
  ]
    .join(' ')
    .split(' ')
    .join('|')})\\.["'”’)]*$`,
  'i',
);
/** Of these a sentence may well end in one; the segmenter, which looks at the next letter, is believed. */
const MAY_END = /(?:^|\s)(?:etc|inc|ltd|co|corp|jr|sr|[ap]\.m|u\.s|u\.k|u\.n|d\.c|ph\.d)\.["'”’)]*$/i;

const OPENING = /[\p{Ps}\p{Pi}]{1,8}$/u;

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });

/**
 * The sentences of `text`, in order, trimmed and without empty ones. A line break ends a sentence. The time is linear
 * in the length: a text is cut at spaces into blocks of 4,000 characters where it has no earlier end.
 */
export function splitSentences(text: string): readonly string[] {
  const sentences: string[] = [];
  for (const line of text.split(/[\r\n\u2028\u2029]+/)) {
    for (const block of blocksOf(line)) {
      let open = '';
      for (const { segment } of segmenter.segment(block)) {
        open += segment;
        // The segmenter takes an opening mark of East Asia for the end of the sentence before.
        const opening = OPENING.exec(open)?.[0] ?? '';
        const trimmed = open.slice(0, open.length - opening.length).trim();
        if (goesOn(trimmed)) continue;
        if (trimmed !== '') sentences.push(trimmed);
        open = opening;
      }
      if (open.trim() !== '') sentences.push(open.trim());
    }
  }
  return sentences;
}

function goesOn(sentence: string): boolean {
  const tail = sentence.slice(-12);
  return ABBREVIATION.test(tail) && !MAY_END.test(tail);
}

function* blocksOf(line: string): Generator<string> {
  let start = 0;
  while (line.length - start > BLOCK_CHARS) {
    const block = line.slice(start, start + BLOCK_CHARS);
    const space = block.lastIndexOf(' ');
    const end = space > 0 ? space : BLOCK_CHARS;
    yield block.slice(0, end);
    start += end;
  }
  yield line.slice(start);
}
