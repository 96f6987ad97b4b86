import { frameLines } from './frame-lines.ts';

const FENCE = /^\s{0,3}(?:```|~~~)/;
const HEADING = /^\s{0,3}#{1,6}(?:\s|$)/;
const UNDERLINE = /^\s{0,3}(?:=+|-+)\s*$/;
const RULE = /^\s*(?:[-*_=~]\s*){3,}$/;
const TABLE_ROW = /^\s*\|.*\||^\s*:?-{2,}:?\s*\|/;
const LINK_DEFINITION = /^\s{0,3}\[[^\]\n]{1,200}\]:\s/;
const LIST_MARKER = /^\s*(?:[-*+•]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?/;
const QUOTE_MARKER = /^\s{0,3}(?:>\s?)+/;
const SPEAKER = /^\p{Lu}[\p{L}\d .'-]{0,40}:\s/u;

/** A line longer than this that ends in no punctuation was wrapped, not ended. */
const WRAPPED_CHARS = 45;
/** Longer lines are prose, never markup; the patterns below are spared them. */
const LONGEST_MARKUP_LINE = 2_000;

/**
 * The prose of a plain or Markdown text, one paragraph, list item or line a line: without headings, code, tables, rules,
 * HTML tags, link definitions, lines that are mostly links, mail headers, greetings and closings; emphasis and link marks removed; lines that were
 * wrapped at a fixed width joined again.
 */
export function proseText(text: string): string {
  const paragraphs: string[] = [];
  let open = '';
  const close = () => {
    if (open !== '') paragraphs.push(open);
    open = '';
  };
  let fenced = false;
  const lines = text.split(/\r\n|[\n\r\u2028\u2029]/);
  const frame = frameLines(lines);
  for (const [i, line] of lines.entries()) {
    if (line.length > LONGEST_MARKUP_LINE) {
      close();
      if (!fenced) paragraphs.push(line);
      continue;
    }
    if (FENCE.test(line)) {
      fenced = !fenced;
      close();
      continue;
    }
    if (fenced) continue;
    if (frame.has(i) || isMarkup(line, lines[i + 1]) || (UNDERLINE.test(line) && open === '')) {
      close();
      continue;
    }
    const startsItem = LIST_MARKER.test(line) || QUOTE_MARKER.test(line) || SPEAKER.test(line);
    const prose = inlineProse(line.replace(QUOTE_MARKER, '').replace(LIST_MARKER, '')).trim();
    if (prose === '' || startsItem || !isWrapped(lines[i - 1] ?? '')) close();
    if (prose !== '') open = open === '' ? prose : `${open} ${prose}`;
  }
  close();
  return paragraphs.join('\n');
}

function isMarkup(line: string, next: string | undefined): boolean {
  if (HEADING.test(line) || RULE.test(line) || TABLE_ROW.test(line) || LINK_DEFINITION.test(line)) return true;
  // A heading that is underlined on the next line.
  if (line.trim() !== '' && line.length < 100 && next !== undefined && next.trim().length > 2 && UNDERLINE.test(next)) {
    return true;
  }
  return isMostlyLinks(line);
}

function isMostlyLinks(line: string): boolean {
  if (!line.includes('](') && !line.includes('://')) return false;
  const rest = line
    .replace(/!?\[[^[\]]{0,300}\]\([^()\s]{0,500}[^()]{0,100}\)/g, '')
    .replace(/<?https?:\/\/[^\s>]{1,500}>?/g, '');
  const words = (part: string) => part.match(/[\p{L}\p{N}]{2,}/gu)?.length ?? 0;
  return words(rest) < 4;
}

function inlineProse(line: string): string {
  return line
    .replace(/!\[[^[\]]{0,300}\]\([^()]{0,600}\)/g, ' ')
    .replace(/\[([^[\]]{1,300})\]\([^()]{0,600}\)/g, '$1')
    .replace(/\[([^[\]]{1,300})\]\[[^[\]]{0,100}\]/g, '$1')
    .replace(/<\/?[a-zA-Z!][^<>]{0,500}>/g, ' ')
    .replace(/(\*\*|__)(?=\S)([^*_]{1,500})\1/g, '$2')
    .replace(/(^|[\s(])[*_](?=\S)([^*_]{1,300})[*_](?=[\s.,;:!?)]|$)/g, '$1$2')
    .replace(/`([^`]{1,300})`/g, '$1')
    .replace(/\s+/g, ' ');
}

function isWrapped(previous: string): boolean {
  return previous.length >= WRAPPED_CHARS && !/[.!?:;|]["'”’)\]]*\s*$/.test(previous);
}
