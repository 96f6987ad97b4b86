/**
 * How well a text may be cut at a place, from best to worst: before a heading (a first-level one is best), a paragraph
 * or code block, a list item, a sentence or line, between a heading and what it heads, a word, a grapheme.
 */
export const CUT_STRENGTH = {
  heading: [12, 11, 10, 9, 8, 7],
  paragraph: 6,
  listItem: 5,
  sentence: 4,
  afterHeading: 3,
  word: 2,
  grapheme: 1,
} as const;

export interface Heading {
  /** UTF-16 offset where its block starts. */
  readonly at: number;
  /** 1 to 6. */
  readonly level: number;
  readonly title: string;
}

/** The blocks of a text in order; block `i` reaches from `starts[i]` to `starts[i + 1]`, the last to the text's end. */
export interface TextBlocks {
  /** UTF-16 offsets; the first is 0. Blank lines belong to the block before them. */
  readonly starts: readonly number[];
  /** How well the text may be cut before each block. */
  readonly strengths: readonly number[];
  readonly headings: readonly Heading[];
}

/** Longer lines are no headings, and hostile ones must not be copied into every chunk. */
const MAX_HEADING_UNITS = 200;

const FENCE = /^ {0,3}(?:`{3,}|~{3,})/;
const MARKDOWN_HEADING = /^ {0,3}(#{1,6})[ \t]+(\S.*)$/;
const LIST_ITEM = /^[ \t]*(?:[-*+•]|\d{1,4}[.)]|[a-zA-Z][.)])[ \t]+\S/;
const UNDERLINE = /^ {0,3}(?:={3,}|-{3,})[ \t]*$/;
const NUMBERED_HEADING =
  /^(?:(?:Chapter|CHAPTER|Section|SECTION|Part|PART|Appendix|APPENDIX|Article|ARTICLE)\s+)?((?:\d{1,3}|[IVXLC]{1,7})(?:\.\d{1,3}){0,5})[.:)]?\s+\p{Lu}/u;
const ENDS_LIKE_A_SENTENCE = /[.!?;:,]$/;

/**
 * Finds headings (Markdown, underlined, and in plain text short capital or numbered lines between blank lines),
 * paragraphs, list items and fenced code. Linear, and looks at the first 200 units of a line only.
 */
export function findTextBlocks(text: string): TextBlocks {
  const starts: number[] = [];
  const strengths: number[] = [];
  const headings: Heading[] = [];
  let previous: 'blank' | 'heading' | 'body' = 'blank';
  let fence: string | undefined;
  let lineStart = 0;

  const open = (at: number, strength: number): void => {
    const headed = previous === 'heading' || (previous === 'blank' && blockIsHeading(headings, starts));
    starts.push(at);
    strengths.push(headed && strength <= CUT_STRENGTH.paragraph ? CUT_STRENGTH.afterHeading : strength);
  };

  while (lineStart < text.length) {
    const lineEnd = endOfLine(text, lineStart);
    const line = text.slice(lineStart, Math.min(lineEnd, lineStart + MAX_HEADING_UNITS + 1)).trimEnd();
    const fenceMark = FENCE.exec(line)?.[0].trimStart();
    if (line === '' && isBlank(text, lineStart, lineEnd)) {
      if (starts.length > 0) previous = 'blank';
    } else if (fence !== undefined) {
      if (fenceMark?.startsWith(fence) === true) fence = undefined;
      previous = 'body';
    } else if (fenceMark !== undefined) {
      open(lineStart, CUT_STRENGTH.paragraph);
      fence = fenceMark;
      previous = 'body';
    } else {
      const heading = headingAt(text, line, lineStart, lineEnd, previous);
      if (heading !== undefined) {
        open(lineStart, CUT_STRENGTH.heading[heading.level - 1] ?? CUT_STRENGTH.paragraph);
        headings.push(heading);
      } else if (LIST_ITEM.test(line)) open(lineStart, CUT_STRENGTH.listItem);
      else if (previous !== 'body' && !UNDERLINE.test(line)) open(lineStart, CUT_STRENGTH.paragraph);
      const underlines: boolean = previous === 'heading' && UNDERLINE.test(line);
      previous = heading !== undefined || underlines ? 'heading' : 'body';
    }
    lineStart = lineEnd + 1;
  }
  if (starts[0] === undefined) strengths.push(CUT_STRENGTH.paragraph);
  // Blank lines before the first block belong to it.
  if (headings[0] !== undefined && headings[0].at === starts[0]) headings[0] = { ...headings[0], at: 0 };
  starts[0] = 0;
  return { starts, strengths, headings };
}

function headingAt(
  text: string,
  line: string,
  lineStart: number,
  lineEnd: number,
  previous: 'blank' | 'heading' | 'body',
): Heading | undefined {
  if (line.length > MAX_HEADING_UNITS) return undefined;
  const markdown = MARKDOWN_HEADING.exec(line);
  if (markdown !== null) {
    const title = (markdown[2] ?? '').replace(/[ \t]+#+$/, '');
    return { at: lineStart, level: (markdown[1] ?? '#').length, title };
  }
  if (previous === 'body' || lineEnd >= text.length) return undefined;
  const title = line.trim();
  const nextEnd = endOfLine(text, lineEnd + 1);
  const next = text.slice(lineEnd + 1, Math.min(nextEnd, lineEnd + 1 + MAX_HEADING_UNITS));
  if (UNDERLINE.test(next)) return { at: lineStart, level: next.includes('=') ? 1 : 2, title };
  if (previous !== 'blank' || next.trim() !== '' || title.length > 80 || ENDS_LIKE_A_SENTENCE.test(title))
    return undefined;
  const numbered = NUMBERED_HEADING.exec(title);
  if (numbered !== null) return { at: lineStart, level: Math.min(6, (numbered[1] ?? '').split('.').length), title };
  const capitals = title === title.toUpperCase() && title !== title.toLowerCase();
  return capitals ? { at: lineStart, level: 2, title } : undefined;
}

/** Whether the last block is a heading alone. */
function blockIsHeading(headings: readonly Heading[], starts: readonly number[]): boolean {
  const last = headings.at(-1);
  return last !== undefined && last.at === starts.at(-1);
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end;
}

function isBlank(text: string, start: number, end: number): boolean {
  return end - start <= MAX_HEADING_UNITS || text.slice(start, end).trim() === '';
}
