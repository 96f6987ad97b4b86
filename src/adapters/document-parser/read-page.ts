import type { HtmlReading } from '../../documents/document-parser.ts';
import { declaresArticle, splitByArticle } from './find-article.ts';
import type { HtmlNode } from './html-tree.ts';
import { nodeToText } from './node-to-text.ts';
import { holdersOf, linesOf, type PageLine, proseOf } from './page-lines.ts';
import { chromeOf, hiddenOf, isNamedExtra, markedContentOf } from './page-parts.ts';
import type { TextNode } from './text-node.ts';

/** What was read of a page. */
export interface ReadPage {
  readonly text: string;
  /** `content`: the page without what is beside its content. */
  readonly reading: 'article' | 'content' | 'whole';
  /** Words outside links that the page shows, and how many of them are left out. */
  readonly prose: number;
  readonly leftOut: number;
}

/**
 * `article`: what a reading mode of a browser finds. `whole`: all that is shown. `auto`: the content, without menus, footers,
 * comments and the like; of a page that declares itself an article, and where one is found, that alone.
 */
export function readPage(tree: HtmlNode, wanted: HtmlReading): ReadPage {
  const hidden = hiddenOf(tree);
  const shown = linesOf(tree, hidden);
  const prose = proseOf(shown);
  const whole = (): ReadPage => ({ text: nodeToText(tree, hidden), reading: 'whole', prose, leftOut: 0 });
  if (wanted === 'whole') return whole();
  const chrome = chromeOf(tree);
  const around = new Set<TextNode>([...hidden, ...chrome]);
  const { inside, outside } = splitByArticle(chrome.size === 0 ? shown : linesOf(tree, around), tree);
  const beside = wanted === 'article' && inside.length > 0 ? [] : contentBeside(inside, outside, tree);
  if (inside.length + beside.length === 0) return whole();
  const kept = new Set(beside);
  const dropped = outside.filter((line) => !kept.has(line));
  return {
    text: nodeToText(tree, new Set<TextNode>([...around, ...dropped.flatMap(({ nodes }) => nodes)])),
    reading: beside.length === 0 ? 'article' : 'content',
    prose,
    leftOut: prose - proseOf(inside) - proseOf(beside),
  };
}

/** Lines that are mostly links are menus and lists of other pages. */
const LINK_SHARE = 0.5;
const PARAGRAPH_WORDS = 20;
/** With a smaller share of the prose than this, what was found is not what the page is about. */
const ARTICLE_SHARE = 0.5;

/** Lines beside the article that belong to the same content. */
function contentBeside(inside: readonly PageLine[], outside: readonly PageLine[], tree: HtmlNode): readonly PageLine[] {
  const content = inside.length === 0 ? undefined : markedContentOf(tree, inside);
  const near = content === undefined ? outside : outside.filter(({ nodes }) => isIn(nodes[0], content));
  const plain = groupOutside(near, holdersOf(inside)).filter(({ extra }) => !extra);
  const share = proseOf(inside) / Math.max(1, proseOf(inside) + proseOf(plain.flatMap(({ lines }) => lines)));
  if (inside.length > 0 && share >= ARTICLE_SHARE && declaresArticle(tree)) return [];
  return plain.filter(({ lines }) => share < ARTICLE_SHARE || !isLinkList(lines)).flatMap(({ lines }) => lines);
}

function isIn(node: TextNode | undefined, element: TextNode): boolean {
  for (let around = node ?? null; around !== null; around = around.parentNode) if (around === element) return true;
  return false;
}

interface Group {
  readonly lines: PageLine[];
  /** Its names say that it is beside the content. */
  readonly extra: boolean;
}

/** Lines by the largest element around them that holds nothing of the article. */
function groupOutside(outside: readonly PageLine[], holders: ReadonlySet<TextNode>): readonly Group[] {
  const groups = new Map<TextNode, Group>();
  for (const line of outside) {
    let top = line.nodes[0] as HtmlNode;
    let extra = false;
    for (let node: HtmlNode | null = top; node !== null && !holders.has(node); node = node.parentNode) {
      if (node.localName === 'body') break;
      top = node;
      extra ||= node.nodeType === 1 && isNamedExtra(node);
    }
    const key = extra ? (line.nodes[0] as TextNode) : top;
    const group = groups.get(key) ?? { lines: [], extra };
    group.lines.push(line);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** Links to other works mostly, and no paragraph; links to parts of the same work are its table of contents. */
function isLinkList(lines: readonly PageLine[]): boolean {
  const words = lines.reduce((sum, line) => sum + line.words, 0);
  const far = lines.reduce((sum, line) => sum + line.linkWords - line.nearWords, 0);
  return far >= words * LINK_SHARE && lines.every((line) => line.words - line.linkWords < PARAGRAPH_WORDS);
}
