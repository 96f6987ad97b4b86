import { isLine, isSkipped } from './node-to-text.ts';
import { attributeOf, type TextNode } from './text-node.ts';

/** A run of text between two block boundaries. */
export interface PageLine {
  /** Its texts, and formulas as a whole. */
  readonly nodes: TextNode[];
  words: number;
  /** Of these, inside links. */
  linkWords: number;
  /** Of these, in links to this page or to pages beside it. */
  nearWords: number;
  /** Letters and digits in lower case, to find it in another copy of the page. */
  key: string;
}

const ELEMENT = 1;
const TEXT = 3;

interface Place {
  /** The nearest block around; texts of one block that follow each other are a line. */
  readonly block: TextNode;
  readonly link: 'none' | 'near' | 'far';
  readonly formula: TextNode | undefined;
}

interface TextWords {
  readonly count: number;
  readonly key: string;
}

/** A page is gone through several times, and its texts do not change. */
const READ = new WeakMap<TextNode, TextWords>();

function wordsIn(node: TextNode): TextWords {
  const known = READ.get(node);
  if (known !== undefined) return known;
  const words = (node.data ?? '').match(/[\p{L}\p{N}]+/gu) ?? [];
  const read = { count: words.length, key: words.join('').toLowerCase() };
  READ.set(node, read);
  return read;
}

/** The lines under `root` in document order, without what is in `leftOut` or never shown. */
export function linesOf(root: TextNode, leftOut: ReadonlySet<TextNode> = new Set()): readonly PageLine[] {
  const lines: PageLine[] = [];
  const places = new Map<TextNode, Place>([[root, { block: root, link: 'none', formula: undefined }]]);
  let current: PageLine | undefined;
  let block: TextNode | undefined;
  const add = (node: TextNode, place: Place) => {
    const { count, key } = wordsIn(node);
    if (count === 0) return;
    if (current === undefined || block !== place.block) {
      current = { nodes: [], words: 0, linkWords: 0, nearWords: 0, key: '' };
      lines.push(current);
      block = place.block;
    }
    current.nodes.push(place.formula ?? node);
    current.words += count;
    if (place.link !== 'none') current.linkWords += count;
    if (place.link === 'near') current.nearWords += count;
    current.key += key;
  };
  for (let node: TextNode | null = root; node !== null; ) {
    const inside: Place | undefined = node === root ? places.get(root) : enter(node, places, leftOut);
    if (node.nodeType === TEXT && inside !== undefined) add(node, inside);
    if (node.localName === 'br') block = undefined;
    if (inside !== undefined && node.firstChild !== null && node.firstChild !== undefined) {
      node = node.firstChild;
      continue;
    }
    while (node !== null && node !== root && node.nextSibling === null) node = node.parentNode;
    node = node === null || node === root ? null : node.nextSibling;
  }
  return lines;
}

/** Where the node is; undefined where nothing of it is read. */
function enter(node: TextNode, places: Map<TextNode, Place>, leftOut: ReadonlySet<TextNode>): Place | undefined {
  const around = node.parentNode === null ? undefined : places.get(node.parentNode);
  if (around === undefined || leftOut.has(node)) return undefined;
  if (node.nodeType !== ELEMENT) return around;
  const name = node.localName?.toLowerCase() ?? '';
  if (isSkipped(name)) return undefined;
  const place = {
    block: isLine(name) ? node : around.block,
    link: name === 'a' ? linkOf(node) : around.link,
    formula: around.formula ?? (name === 'math' ? node : undefined),
  };
  places.set(node, place);
  return place;
}

/** A link without a scheme and a path from the root leads to a part of the same work. */
function linkOf(node: TextNode): 'none' | 'near' | 'far' {
  const target = attributeOf(node, 'href');
  if (target === undefined) return 'none';
  return /^(?:[a-z][\w+.-]*:|\/)/i.test(target.trim()) ? 'far' : 'near';
}

/** Words of the lines outside links. */
export function proseOf(lines: Iterable<PageLine>): number {
  let words = 0;
  for (const line of lines) words += line.words - line.linkWords;
  return words;
}

/** The elements that hold one of the lines. */
export function holdersOf(lines: Iterable<PageLine>): ReadonlySet<TextNode> {
  const holders = new Set<TextNode>();
  for (const { nodes } of lines) {
    for (const start of nodes) {
      for (let node: TextNode | null = start; node !== null && !holders.has(node); node = node.parentNode) {
        holders.add(node);
      }
    }
  }
  return holders;
}
