import { type DefaultTreeAdapterTypes, parse } from 'parse5';
import type { TextNode } from './text-node.ts';

type TreeNode = DefaultTreeAdapterTypes.Node;
type Element = DefaultTreeAdapterTypes.Element;
type Template = DefaultTreeAdapterTypes.Template;

/** An element or a text of a page, with the few properties that reading it needs. */
export interface HtmlNode extends TextNode {
  readonly attributes: ReadonlyMap<string, string>;
  firstChild: HtmlNode | null;
  nextSibling: HtmlNode | null;
  parentNode: HtmlNode | null;
}

const ELEMENT = 1;
const TEXT = 3;

/**
 * The tree that browsers build of this markup: tags that may be left out, tables that hold what they must not, comments and
 * heads that never end. Doctype and comments are left out; nothing else is.
 */
export function parseHtml(markup: string): HtmlNode {
  const document = parse(markup);
  const root = element('#document');
  // No recursion: pages nest as deep as they like.
  const open: { readonly from: readonly TreeNode[]; readonly to: HtmlNode }[] = [
    { from: document.childNodes, to: root },
  ];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    let last: HtmlNode | null = null;
    for (const node of next.from) {
      const made = convert(node);
      if (made === undefined) continue;
      made.parentNode = next.to;
      if (last === null) next.to.firstChild = made;
      else last.nextSibling = made;
      last = made;
      if ('childNodes' in node) open.push({ from: shownNodes(node), to: made });
    }
  }
  return root;
}

/** Of an element with a shadow tree in the markup, that tree, and what stands in the slots of it. */
function shownNodes(node: DefaultTreeAdapterTypes.ParentNode): readonly TreeNode[] {
  return node.childNodes.flatMap((child) => {
    const isShadow =
      child.nodeName === 'template' && (child as Element).attrs.some(({ name }) => name === 'shadowrootmode');
    return isShadow ? (child as Template).content.childNodes : [child];
  });
}

function convert(node: TreeNode): HtmlNode | undefined {
  if (node.nodeName === '#text') return { ...element(''), nodeType: TEXT, data: (node as { value: string }).value };
  if (!('tagName' in node)) return undefined;
  return element(node.tagName, new Map(node.attrs.map(({ name, value }) => [name, value])));
}

function element(localName: string, attributes: ReadonlyMap<string, string> = new Map()): HtmlNode {
  return { nodeType: ELEMENT, localName, attributes, firstChild: null, nextSibling: null, parentNode: null };
}

/** The nodes under `root`, in document order, with their depth; `root` itself first. */
export function* walkTree<T extends TextNode>(root: T): Generator<{ readonly node: T; readonly depth: number }> {
  let depth = 0;
  for (let node: T | null = root; node !== null; ) {
    yield { node, depth };
    if (node.firstChild !== null) {
      node = node.firstChild as T;
      depth += 1;
      continue;
    }
    while (node !== null && node !== root && node.nextSibling === null) {
      node = node.parentNode as T | null;
      depth -= 1;
    }
    node = node === null || node === root ? null : (node.nextSibling as T | null);
  }
}
