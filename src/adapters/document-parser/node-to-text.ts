import { drawnText, filledIn } from './drawn-text.ts';
import { formulaOfPicture, formulaText } from './formula-text.ts';
import { raisedMarks } from './raised-marks.ts';
import type { TextNode } from './text-node.ts';

const ELEMENT = 1;
const TEXT = 3;
/** What is not shown as text, or is no part of it. */
const SKIPPED = new Set([
  'script',
  'style',
  'noscript',
  'template',
  'head',
  'title',
  'svg',
  'canvas',
  'iframe',
  'object',
  'audio',
  'video',
  // Text that was taken out: only a list of changes shows it.
  'del',
  's',
  'strike',
  // Says the same as the MathML beside it once more.
  'annotation',
  'annotation-xml',
]);
const PARAGRAPHS = new Set([
  'p',
  'blockquote',
  'pre',
  'table',
  'ul',
  'ol',
  'dl',
  'figure',
  'hr',
  'h1',
  'h2',
  'h3',
  'h4',
  'h5',
  'h6',
]);
const LINES = new Set([
  'div',
  'section',
  'article',
  'main',
  'header',
  'footer',
  'nav',
  'aside',
  'address',
  'form',
  'fieldset',
  'tr',
  'dt',
  'dd',
  'figcaption',
  'caption',
  'legend',
  'summary',
  'details',
  'option',
  'optgroup',
  'body',
  'html',
  'br',
  'li',
]);
const CELLS = new Set(['td', 'th']);

/** Whether nothing of an element is ever read. */
export function isSkipped(name: string): boolean {
  return SKIPPED.has(name);
}

/** Whether an element stands apart from the text before and behind it. */
export function isLine(name: string): boolean {
  return PARAGRAPHS.has(name) || LINES.has(name) || CELLS.has(name);
}

/**
 * Text of a DOM tree as a person reads it: blocks on lines of their own, a blank line between paragraphs, `#` before
 * headings, `-` before list items, tabs between cells; without what is in `leftOut`. No recursion: pages nest as deep as they like.
 */
export function nodeToText(root: TextNode, leftOut: ReadonlySet<TextNode> = new Set()): string {
  const text = new TextBuilder();
  let skipping: TextNode | undefined;
  let preformatted = 0;
  /** What is still to be written behind a raised text. */
  const raised = new Map<TextNode, string>();
  const enter = (node: TextNode) => {
    if (leftOut.has(node)) {
      skipping = node;
      return;
    }
    if (node.nodeType === TEXT) text.add(node.data ?? '', preformatted > 0);
    if (node.nodeType !== ELEMENT) return;
    const name = node.localName?.toLowerCase() ?? '';
    if (name === 'svg') text.add(drawnText(node), false);
    if (name === 'input') text.add(filledIn(node), false);
    if (SKIPPED.has(name)) {
      skipping = node;
      return;
    }
    if (name === 'pre') preformatted += 1;
    if (name === 'math') {
      text.add(formulaText(node), false);
      skipping = node;
      return;
    }
    if (name === 'img') text.add(formulaOfPicture(node), false);
    if (name === 'sup') raised.set(node, text.addBefore(raisedMarks(node, text.tail)));
    text.open(name);
  };
  const leave = (node: TextNode) => {
    if (node.nodeType !== ELEMENT) return;
    const name = node.localName?.toLowerCase() ?? '';
    if (name === 'pre') preformatted -= 1;
    const after = raised.get(node);
    if (after !== undefined) text.add(after, true);
    text.close(name);
  };
  for (let node: TextNode | null = root; node !== null; ) {
    enter(node);
    const child: TextNode | null = skipping === undefined ? (node.firstChild ?? null) : null;
    if (child !== null) {
      node = child;
      continue;
    }
    while (node !== null) {
      if (skipping === node) skipping = undefined;
      else leave(node);
      if (node === root) return text.end();
      const next: TextNode | null = node.nextSibling;
      if (next !== null) {
        node = next;
        break;
      }
      node = node.parentNode;
    }
  }
  return text.end();
}

/** Collapses white space and keeps at most one blank line between blocks. */
class TextBuilder {
  readonly #parts: string[] = [];
  /** Line breaks, or a space, that go before the next text. */
  #breaks = 0;
  #space = '';
  #prefix = '';

  add(data: string, preformatted: boolean): void {
    const value = preformatted ? data.replace(/\r\n?/g, '\n') : data.replace(/[ \t\r\n\f]+/g, ' ');
    const start = preformatted ? value : value.trimStart();
    if (start !== value) this.#space ||= ' ';
    if (start === '') return;
    const end = preformatted ? start : start.trimEnd();
    if (this.#parts.length > 0) this.#parts.push(this.#breaks > 0 ? '\n'.repeat(this.#breaks) : this.#space);
    this.#parts.push(this.#prefix, end);
    this.#breaks = 0;
    this.#prefix = '';
    this.#space = end === start ? '' : ' ';
  }

  open(name: string): void {
    if (PARAGRAPHS.has(name)) this.#break(2);
    else if (LINES.has(name)) this.#break(1);
    else if (CELLS.has(name)) this.#space = '\t';
    const heading = /^h([1-6])$/.exec(name)?.[1];
    if (heading !== undefined) this.#prefix = `${'#'.repeat(Number(heading))} `;
    else if (name === 'li') this.#prefix = '- ';
  }

  close(name: string): void {
    if (PARAGRAPHS.has(name)) this.#break(2);
    else if (LINES.has(name)) this.#break(1);
    if (PARAGRAPHS.has(name) || name === 'li') this.#prefix = '';
  }

  /** Writes the first mark now; returns the second one. */
  addBefore([before, after]: readonly [string, string]): string {
    if (before !== '') this.add(before, true);
    return after;
  }

  /** The text that the next one would touch. */
  get tail(): string {
    return this.#breaks > 0 || this.#space !== '' ? '' : (this.#parts.at(-1) ?? '');
  }

  end(): string {
    return this.#parts.join('').trim();
  }

  #break(count: number): void {
    this.#breaks = Math.max(this.#breaks, count);
    this.#space = '';
  }
}
