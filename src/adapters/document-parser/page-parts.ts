import { type HtmlNode, walkTree } from './html-tree.ts';
import { linesOf, type PageLine } from './page-lines.ts';
import type { TextNode } from './text-node.ts';

const CHROME = new Set(['nav', 'footer', 'aside']);
const CHROME_ROLES = new Set([
  'navigation',
  'banner',
  'contentinfo',
  'complementary',
  'search',
  'dialog',
  'alertdialog',
  'menu',
  'menubar',
]);
/** A header of one of these belongs to it. */
const SECTIONS = new Set(['article', 'main', 'section']);
/** With less of the words to be seen, what is hidden is the page. */
const MIN_SEEN = 0.1;
const MARKED_SHARE = 0.9;
const HIDING_STYLE = /(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)/i;

/** What surrounds the content of every page of a site: menus, footers, sidebars, by their elements and roles. */
export function chromeOf(tree: HtmlNode): ReadonlySet<HtmlNode> {
  return collect(tree, isChrome);
}

function isChrome(node: HtmlNode): boolean {
  const name = node.localName ?? '';
  if (CHROME.has(name) || CHROME_ROLES.has(node.attributes.get('role')?.toLowerCase() ?? '')) return true;
  return name === 'header' && !isInside(node, SECTIONS);
}

/**
 * What is not seen: copies for programs, texts for another state of the page. Nothing where that would be nearly all,
 * since then a script shows it.
 */
export function hiddenOf(tree: HtmlNode): ReadonlySet<HtmlNode> {
  const hidden = collect(tree, isHidden);
  if (hidden.size === 0) return hidden;
  const seen = wordsOf(tree, hidden);
  return seen < wordsOf(tree, new Set()) * MIN_SEEN ? new Set() : hidden;
}

function isHidden(node: HtmlNode): boolean {
  const { attributes } = node;
  const state = attributes.get('hidden');
  if (state !== undefined && state.toLowerCase() !== 'until-found') return true;
  if (attributes.get('aria-hidden')?.toLowerCase() === 'true') return true;
  // The formula itself is what is hidden beside the picture of it.
  return HIDING_STYLE.test(attributes.get('style') ?? '') && node.firstChild?.localName !== 'math';
}

function wordsOf(tree: HtmlNode, leftOut: ReadonlySet<TextNode>): number {
  return linesOf(tree, leftOut).reduce((sum, { words }) => sum + words, 0);
}

function collect(tree: HtmlNode, isWanted: (node: HtmlNode) => boolean): ReadonlySet<HtmlNode> {
  const found = new Set<HtmlNode>();
  for (const { node } of walkTree(tree)) if (node.nodeType === 1 && isWanted(node)) found.add(node);
  return found;
}

function isInside(node: HtmlNode, names: ReadonlySet<string>): boolean {
  for (let around = node.parentNode; around !== null; around = around.parentNode) {
    if (names.has(around.localName ?? '')) return true;
  }
  return false;
}

const EXTRAS = [
  'comments?',
  'disqus',
  'related\\w*',
  'share\\w*',
  'sharing',
  'social',
  'sidebar',
  'promos?',
  'newsletter',
  'subscribe',
  'signup',
  'sponsor(?:ed)?',
  'advert\\w*',
  'ads?',
  'banner',
  'breadcrumbs?',
  'cookies?',
  'popup',
  'modal',
  'masthead',
  'menu',
  'nav(?:bar|igation)?',
  'pager',
  'pagination',
  'recommend\\w*',
  'outbrain',
  'taboola',
  'toolbar',
  'widget',
  'teasers?',
  'trending',
  'login',
].join('|');
const EXTRA_NAME = new RegExp(`(?:^|[-_ ])(?:${EXTRAS})(?:$|[-_ ])`, 'i');

/**
 * Whether its class or id says that it is something beside the content: comments, related pages, advertisements. An id
 * counts where it begins so: those of sections are made of their headings.
 */
export function isNamedExtra(node: HtmlNode): boolean {
  const id = node.attributes.get('id') ?? '';
  const names = node.attributes.get('class') ?? '';
  return (names !== '' && EXTRA_NAME.test(names.slice(0, 400))) || (id !== '' && EXTRA_NAME.exec(id)?.index === 0);
}

/** The page's only `article`, where it holds most of `lines`. `main` says less: it also holds comments, and not all of a manual. */
export function markedContentOf(tree: HtmlNode, lines: readonly PageLine[]): HtmlNode | undefined {
  const words = new Map<TextNode, number>();
  let all = 0;
  for (const { nodes, words: count } of lines) {
    all += count;
    for (let node = nodes[0] ?? null; node !== null; node = node.parentNode) {
      if (isMarked(node as HtmlNode)) words.set(node, (words.get(node) ?? 0) + count);
    }
  }
  const found = [...collect(tree, isMarked)];
  const fitting = found.filter((node) => {
    const alike = found.filter(({ localName }) => localName === node.localName);
    return alike.length === 1 && (words.get(node) ?? 0) >= all * MARKED_SHARE;
  });
  return fitting.at(-1);
}

function isMarked(node: HtmlNode): boolean {
  if (node.nodeType !== 1) return false;
  return node.localName === 'article';
}
