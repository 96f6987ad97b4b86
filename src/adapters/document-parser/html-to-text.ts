import { Readability } from '@mozilla/readability';
import { parseHTML } from 'linkedom';
import type { ParsedDocument } from '../../documents/document-parser.ts';
import { canonicalEncoding, decodeText, encodingOfMark } from '../../text/decode-text.ts';
import { type HtmlNode, parseHtml, walkTree, writeHtml } from './html-tree.ts';
import { nodeToText } from './node-to-text.ts';
import type { TextNode } from './text-node.ts';

/** The DOM takes 100 times this in memory, and seconds for each megabyte of small elements. */
export const MAX_HTML_BYTES = 4 * 1024 * 1024;
/** The search for the article takes quadratic time in both; past them the whole page is taken. */
const MAX_ARTICLE_DEPTH = 100;
const MAX_ARTICLE_ELEMENTS = 20_000;
/** Where browsers look for the declaration. */
const DECLARATION_BYTES = 1024;

/**
 * Text of a web page: its article with the title on top, as reading modes of browsers find it, else the text of the whole
 * body. Scripts and styles never.
 */
export function htmlToText(
  bytes: Uint8Array,
  options: { readonly encoding?: string | undefined; readonly maxTextUnits: number },
): ParsedDocument {
  if (bytes.length > MAX_HTML_BYTES) {
    const message = `The page has ${bytes.length} bytes; at most ${MAX_HTML_BYTES} are allowed for HTML. Convert it to text or split it`;
    return { kind: 'problem', code: 'too_large', message };
  }
  const decoded = decodeText(bytes, options.encoding ?? declaredEncoding(bytes));
  if ('fault' in decoded) return { kind: 'problem', code: 'not_utf8', message: `The file ${decoded.fault}` };
  const { title, text } = markupToText(decoded.text, 'article');
  if (text === '')
    return { kind: 'problem', code: 'no_text', message: 'The page has no text outside scripts and styles' };
  const withTitle = title === '' || text.slice(0, title.length + 10).includes(title) ? text : `# ${title}\n\n${text}`;
  if (withTitle.length > options.maxTextUnits) {
    return { kind: 'problem', code: 'too_large', message: `The page has ${withTitle.length} characters of text` };
  }
  return { kind: 'text', text: withTitle, metadata: title === '' ? {} : { title } };
}

/** Text of HTML. `article`: what a reader came for, where that can be told; `whole`: all of it, as of a letter. */
export function markupToText(
  markup: string,
  part: 'article' | 'whole',
): { readonly title: string; readonly text: string } {
  const tree = parseHtml(markup);
  const title = titleOf(tree);
  const article = part === 'article' && isReadable(tree) ? articleOf(tree) : undefined;
  const text = article === undefined ? '' : nodeToText(article);
  return { title, text: text === '' ? nodeToText(tree) : text };
}

function titleOf(tree: HtmlNode): string {
  for (const { node } of walkTree(tree)) {
    if (node.localName === 'svg' || node.localName === 'body') return '';
    if (node.localName === 'title') return (node.firstChild?.data ?? '').trim().replace(/\s+/g, ' ');
  }
  return '';
}

function articleOf(tree: HtmlNode): TextNode | undefined {
  try {
    // Readability needs a DOM that it can change. Without a doctype: linkedom's has no next sibling.
    const { document } = parseHTML(writeHtml(tree));
    const found = new Readability<TextNode>(document, { serializer: (node: unknown) => node as TextNode }).parse();
    return found?.content ?? undefined;
  } catch {
    // The DOM that it gets is not a browser's; what it cannot cope with is read whole.
    return undefined;
  }
}

function isReadable(tree: HtmlNode): boolean {
  let elements = 0;
  for (const { node, depth } of walkTree(tree)) {
    if (node.nodeType === 1) elements += 1;
    if (depth > MAX_ARTICLE_DEPTH || elements > MAX_ARTICLE_ELEMENTS) return false;
  }
  return true;
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
