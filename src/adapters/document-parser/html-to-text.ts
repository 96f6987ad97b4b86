import type { FormatSettings, HtmlReading, ParsedDocument } from '../../documents/document-parser.ts';
import { canonicalEncoding, decodeText, encodingOfMark } from '../../text/decode-text.ts';
import { type HtmlNode, parseHtml, walkTree } from './html-tree.ts';
import { type ReadPage, readPage } from './read-page.ts';

/** The DOM takes 100 times this in memory, and seconds for each megabyte of small elements. */
export const MAX_HTML_BYTES = 4 * 1024 * 1024;
/** Share of the prose from which on a warning says so. */
const MUCH_LEFT_OUT = 1 / 3;
/** Where browsers look for the declaration. */
const DECLARATION_BYTES = 1024;

/** Text of a web page with its title on top: by `formats.html` the article, all that is shown, or as much as is content (the default). */
export function htmlToText(
  bytes: Uint8Array,
  options: {
    readonly encoding?: string | undefined;
    readonly formats?: FormatSettings | undefined;
    readonly maxTextUnits: number;
  },
): ParsedDocument {
  if (bytes.length > MAX_HTML_BYTES) {
    const message = `The page has ${bytes.length} bytes; at most ${MAX_HTML_BYTES} are allowed for HTML. Convert it to text or split it`;
    return { kind: 'problem', code: 'too_large', message };
  }
  const decoded = decodeText(bytes, options.encoding ?? declaredEncoding(bytes));
  if ('fault' in decoded) return { kind: 'problem', code: 'not_utf8', message: `The file ${decoded.fault}` };
  const { title, text, reading, prose, leftOut } = markupToText(decoded.text, options.formats?.html ?? 'auto');
  if (text === '')
    return { kind: 'problem', code: 'no_text', message: 'The page has no text outside scripts and styles' };
  const withTitle = title === '' || text.slice(0, title.length + 10).includes(title) ? text : `# ${title}\n\n${text}`;
  if (withTitle.length > options.maxTextUnits) {
    return { kind: 'problem', code: 'too_large', message: `The page has ${withTitle.length} characters of text` };
  }
  const share = prose === 0 ? 0 : leftOut / prose;
  return {
    kind: 'text',
    text: withTitle,
    metadata: { ...(title === '' ? {} : { title }), reading, leftOut: Math.round(share * 100) / 100 },
    ...(share <= MUCH_LEFT_OUT ? {} : { warnings: [leftOutWarning(leftOut, prose)] }),
  };
}

function leftOutWarning(leftOut: number, prose: number): string {
  return `left_out: ${leftOut} of the page's ${prose} words outside links are beside its content and not in the text`;
}

/** Text of HTML: a page's by `reading`; a letter's is the whole. */
export function markupToText(markup: string, reading: HtmlReading): ReadPage & { readonly title: string } {
  const tree = parseHtml(markup);
  return { title: titleOf(tree), ...readPage(tree, reading) };
}

function titleOf(tree: HtmlNode): string {
  for (const { node } of walkTree(tree)) {
    if (node.localName === 'svg' || node.localName === 'body') return '';
    if (node.localName === 'title') return (node.firstChild?.data ?? '').trim().replace(/\s+/g, ' ');
  }
  return '';
}

/** What the page itself says its encoding is, where a decoder knows it. */
function declaredEncoding(bytes: Uint8Array): string | undefined {
  if (encodingOfMark(bytes) !== undefined) return undefined;
  const start = Buffer.from(bytes.subarray(0, DECLARATION_BYTES)).toString('latin1');
  const label = /<meta[^>]+charset\s*=\s*["']?\s*([\w-]+)/i.exec(start)?.[1];
  if (label === undefined) return undefined;
  const encoding = canonicalEncoding(label);
  // It was just read as bytes, so whatever claims to be UTF-16 is not.
  return encoding?.startsWith('utf-16') === true ? undefined : encoding;
}
