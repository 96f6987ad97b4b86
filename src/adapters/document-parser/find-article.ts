import { Readability } from '@mozilla/readability';
import { ArticleDocument } from './article-dom.ts';
import { type HtmlNode, walkTree } from './html-tree.ts';
import { linesOf, type PageLine } from './page-lines.ts';
import type { TextNode } from './text-node.ts';

/** The search for the article takes quadratic time in both; past them it is not searched for. */
const MAX_ARTICLE_DEPTH = 100;
const MAX_ARTICLE_ELEMENTS = 20_000;
/** Shorter lines stand in an article by chance. */
const MIN_KEY = 12;
/** Characters looked through for lines that the search has cut or joined. */
const MAX_SEARCHED = 100_000_000;

const ARTICLE_TYPE = /"@type"\s*:\s*\[?\s*"(?:\w*Article|\w*BlogPosting|Report|Review)"/;
const ARTICLE_ITEM = /schema\.org\/(?:\w*Article|\w*BlogPosting)\b/;

/** Whether the page says of itself that it is an article, as it does for search engines and social networks. */
export function declaresArticle(tree: HtmlNode): boolean {
  for (const { node } of walkTree(tree)) {
    const { attributes, localName } = node;
    if (localName === 'meta') {
      const name = attributes.get('property') ?? attributes.get('name') ?? '';
      if (name === 'og:type' && attributes.get('content')?.toLowerCase() === 'article') return true;
      if (name.startsWith('article:')) return true;
    } else if (localName === 'script') {
      if (attributes.get('type') === 'application/ld+json' && ARTICLE_TYPE.test(node.firstChild?.data ?? ''))
        return true;
    } else if (ARTICLE_ITEM.test(attributes.get('itemtype') ?? '')) return true;
  }
  return false;
}

/** Which lines are part of the article that a browser's reading mode finds; none where there is none. */
export function splitByArticle(
  body: readonly PageLine[],
  tree: HtmlNode,
): { readonly inside: readonly PageLine[]; readonly outside: readonly PageLine[] } {
  const article = isSearchable(tree) ? findArticle(tree) : undefined;
  if (article === undefined) return { inside: [], outside: body };
  const found = linesOf(article);
  const counts = new Map<string, number>();
  for (const { key } of found) counts.set(key, (counts.get(key) ?? 0) + 1);
  const text = found.map(({ key }) => key).join('');
  let searched = 0;
  const inside: PageLine[] = [];
  const outside: PageLine[] = [];
  for (const line of body) {
    const count = counts.get(line.key) ?? 0;
    let isInside = count > 0;
    if (isInside) counts.set(line.key, count - 1);
    else if (line.key.length >= MIN_KEY && searched < MAX_SEARCHED) {
      // The search cuts and joins blocks.
      searched += text.length;
      isInside = text.includes(line.key);
    }
    (isInside ? inside : outside).push(line);
  }
  return { inside, outside };
}

function findArticle(tree: HtmlNode): TextNode | undefined {
  try {
    const document = new ArticleDocument(tree) as unknown as ConstructorParameters<typeof Readability>[0];
    const found = new Readability<TextNode>(document, { serializer: (node: unknown) => node as TextNode }).parse();
    return found?.content ?? undefined;
  } catch {
    // The DOM that it gets is not a browser's; what it cannot cope with is read whole.
    return undefined;
  }
}

function isSearchable(tree: HtmlNode): boolean {
  let elements = 0;
  for (const { node, depth } of walkTree(tree)) {
    if (node.nodeType === 1) elements += 1;
    if (depth > MAX_ARTICLE_DEPTH || elements > MAX_ARTICLE_ELEMENTS) return false;
  }
  return true;
}
