import type { HtmlNode } from './html-tree.ts';
import type { TextNode } from './text-node.ts';

const ELEMENT = 1;
const TEXT = 3;
/** Removed by the search before anything of them counts; scripts only where they do not describe the page. */
const UNREAD = new Set(['style', 'noscript', 'script']);

/**
 * As much of a DOM as the search for an article uses, and no more: a browser's, or a general one, costs several times the
 * search itself. Texts of elements are kept until something under them changes, as the search asks for them at each level.
 */
export class ArticleNode implements TextNode {
  readonly nodeType: number;
  readonly localName: string;
  readonly tagName: string;
  readonly nodeName: string;
  readonly data: string;
  readonly ownerDocument: ArticleDocument;
  readonly attributes: Attribute[] = [];
  parentNode: ArticleNode | null = null;
  firstChild: ArticleNode | null = null;
  lastChild: ArticleNode | null = null;
  nextSibling: ArticleNode | null = null;
  previousSibling: ArticleNode | null = null;
  /** Of an element: known only while those of all elements in it are. */
  #text: string | undefined;

  readonly ELEMENT_NODE = ELEMENT;
  readonly TEXT_NODE = TEXT;

  constructor(owner: ArticleDocument, nodeType: number, nameOrData: string) {
    this.ownerDocument = owner;
    this.nodeType = nodeType;
    this.data = nodeType === TEXT ? nameOrData : '';
    this.localName = nodeType === TEXT ? '' : nameOrData.toLowerCase();
    this.tagName = this.localName.toUpperCase();
    this.nodeName = nodeType === TEXT ? '#text' : this.tagName;
  }

  get textContent(): string {
    if (this.nodeType === TEXT) return this.data;
    if (this.#text === undefined) {
      let text = '';
      for (let node = this.firstChild; node !== null; node = node.nextSibling) text += node.textContent;
      this.#text = text;
    }
    return this.#text;
  }

  get childNodes(): ArticleNode[] {
    const nodes: ArticleNode[] = [];
    for (let node = this.firstChild; node !== null; node = node.nextSibling) nodes.push(node);
    return nodes;
  }

  get children(): ArticleNode[] {
    return this.childNodes.filter(({ nodeType }) => nodeType === ELEMENT);
  }

  get firstElementChild(): ArticleNode | null {
    return elementFrom(this.firstChild, 'nextSibling');
  }

  get nextElementSibling(): ArticleNode | null {
    return elementFrom(this.nextSibling, 'nextSibling');
  }

  get previousElementSibling(): ArticleNode | null {
    return elementFrom(this.previousSibling, 'previousSibling');
  }

  appendChild(child: ArticleNode): ArticleNode {
    child.remove();
    this.#link(child, this.lastChild, null);
    return child;
  }

  replaceChild(made: ArticleNode, old: ArticleNode): ArticleNode {
    made.remove();
    const { nextSibling, previousSibling } = old;
    old.remove();
    this.#link(made, previousSibling, nextSibling);
    return old;
  }

  removeChild(child: ArticleNode): ArticleNode {
    child.remove();
    return child;
  }

  remove(): void {
    const parent = this.parentNode;
    if (parent === null) return;
    const { nextSibling, previousSibling } = this;
    if (previousSibling === null) parent.firstChild = nextSibling;
    else previousSibling.nextSibling = nextSibling;
    if (nextSibling === null) parent.lastChild = previousSibling;
    else nextSibling.previousSibling = previousSibling;
    this.parentNode = null;
    this.nextSibling = null;
    this.previousSibling = null;
    parent.#forgetText();
  }

  getElementsByTagName(name: string): ArticleNode[] {
    const wanted = name.toLowerCase();
    return this.#elements((localName) => wanted === '*' || localName === wanted);
  }

  /** @param names of elements, with commas between them: the search knows no other selectors */
  querySelectorAll(names: string): ArticleNode[] {
    const wanted = new Set(names.toLowerCase().split(','));
    return this.#elements((localName) => wanted.has(localName));
  }

  getAttribute(name: string): string | null {
    return this.attributes.find((attribute) => attribute.name === name)?.value ?? null;
  }

  hasAttribute(name: string): boolean {
    return this.attributes.some((attribute) => attribute.name === name);
  }

  setAttribute(name: string, value: string): void {
    const known = this.attributes.find((attribute) => attribute.name === name);
    if (known === undefined) this.attributes.push(new Attribute(name, value));
    else known.value = value;
  }

  setAttributeNode({ name, value }: Attribute): void {
    this.setAttribute(name, value);
  }

  removeAttribute(name: string): void {
    const at = this.attributes.findIndex((attribute) => attribute.name === name);
    if (at >= 0) this.attributes.splice(at, 1);
  }

  get id(): string {
    return this.getAttribute('id') ?? '';
  }

  set id(value: string) {
    this.setAttribute('id', value);
  }

  get className(): string {
    return this.getAttribute('class') ?? '';
  }

  set className(value: string) {
    this.setAttribute('class', value);
  }

  get src(): string {
    return this.getAttribute('src') ?? '';
  }

  get srcset(): string {
    return this.getAttribute('srcset') ?? '';
  }

  get style(): { readonly display: string; readonly visibility: string } {
    const written = this.getAttribute('style');
    return { display: styleOf(written, 'display'), visibility: styleOf(written, 'visibility') };
  }

  /**
   * Not markup. The search keeps that of the body, to begin again with looser rules, for which a copy does; and it looks for
   * addresses of films in that of embedded things.
   */
  get innerHTML(): string {
    if (this.localName === 'body') return this.ownerDocument.keep(this);
    if (!/^(?:object|embed|iframe|video)$/.test(this.localName)) return '';
    return this.getElementsByTagName('*')
      .flatMap(({ attributes }) => attributes.map(({ value }) => value))
      .join(' ');
  }

  set innerHTML(kept: string) {
    const copy = this.ownerDocument.kept(kept);
    while (this.firstChild !== null) this.firstChild.remove();
    while (copy !== undefined && copy.firstChild !== null) this.appendChild(copy.firstChild);
  }

  #link(child: ArticleNode, before: ArticleNode | null, after: ArticleNode | null): void {
    child.parentNode = this;
    child.previousSibling = before;
    child.nextSibling = after;
    if (before === null) this.firstChild = child;
    else before.nextSibling = child;
    if (after === null) this.lastChild = child;
    else after.previousSibling = child;
    this.#forgetText();
  }

  #forgetText(): void {
    for (let node: ArticleNode | null = this; node !== null && node.#text !== undefined; node = node.parentNode) {
      node.#text = undefined;
    }
  }

  #elements(isWanted: (localName: string) => boolean): ArticleNode[] {
    const found: ArticleNode[] = [];
    let node: ArticleNode | null = this.firstChild;
    while (node !== null) {
      if (node.nodeType === ELEMENT && isWanted(node.localName)) found.push(node);
      if (node.firstChild !== null) {
        node = node.firstChild;
        continue;
      }
      while (node !== null && node !== this && node.nextSibling === null) node = node.parentNode;
      node = node === null || node === this ? null : node.nextSibling;
    }
    return found;
  }
}

class Attribute {
  readonly name: string;
  value: string;

  constructor(name: string, value: string) {
    this.name = name;
    this.value = value;
  }

  cloneNode(): Attribute {
    return new Attribute(this.name, this.value);
  }
}

/** A copy of a page for the search for its article, which takes apart what it gets. */
export class ArticleDocument {
  readonly nodeType = 9;
  /** Of no page: addresses of links do not matter. */
  readonly baseURI = 'http://localhost/';
  readonly documentURI = 'http://localhost/';
  readonly #root = new ArticleNode(this, ELEMENT, '#document');
  readonly #copies: ArticleNode[] = [];

  /** @param tree as `parseHtml` makes it */
  constructor(tree: HtmlNode) {
    for (let node = tree.firstChild; node !== null; node = node.nextSibling) copyInto(this.#root, node, this);
  }

  get firstChild(): ArticleNode | null {
    return this.#root.firstChild;
  }

  get documentElement(): ArticleNode | null {
    return this.#root.firstElementChild;
  }

  get body(): ArticleNode | null {
    return this.getElementsByTagName('body')[0] ?? null;
  }

  get title(): string {
    return (this.getElementsByTagName('title')[0]?.textContent ?? '').trim().replace(/\s+/g, ' ');
  }

  getElementsByTagName(name: string): ArticleNode[] {
    return this.#root.getElementsByTagName(name);
  }

  querySelectorAll(names: string): ArticleNode[] {
    return this.#root.querySelectorAll(names);
  }

  createElement(name: string): ArticleNode {
    return new ArticleNode(this, ELEMENT, name);
  }

  createTextNode(text: string): ArticleNode {
    return new ArticleNode(this, TEXT, text);
  }

  /** Keeps a copy of what an element holds now; returns its name. */
  keep(element: ArticleNode): string {
    this.#copies.push(this.#copyOf(element));
    return `copy ${this.#copies.length}`;
  }

  /** A copy of it again, as the search may come back a third time. */
  kept(name: string): ArticleNode | undefined {
    const copy = this.#copies[Number(name.replace(/^copy /, '')) - 1];
    return copy === undefined ? undefined : this.#copyOf(copy);
  }

  #copyOf(element: ArticleNode): ArticleNode {
    const copy = this.createElement(element.localName);
    for (const child of element.childNodes) copyInto(copy, child, this);
    return copy;
  }
}

/** No recursion is needed for the depth of pages that are searched, but the copies are of any tree. */
function copyInto(parent: ArticleNode, source: HtmlNode | ArticleNode, owner: ArticleDocument): void {
  const open: { readonly from: HtmlNode | ArticleNode; readonly to: ArticleNode }[] = [{ from: source, to: parent }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { from, to } = next;
    if (isUnread(from)) continue;
    const isText = from.nodeType === TEXT;
    const copy = new ArticleNode(owner, isText ? TEXT : ELEMENT, (isText ? from.data : from.localName) ?? '');
    for (const [name, value] of attributesOf(from)) copy.attributes.push(new Attribute(name, value));
    to.appendChild(copy);
    const children: (HtmlNode | ArticleNode)[] = [];
    for (let child = from.firstChild; child !== null; child = child.nextSibling) children.push(child);
    for (const child of children.reverse()) open.push({ from: child, to: copy });
  }
}

function attributesOf(node: HtmlNode | ArticleNode): Iterable<readonly [string, string]> {
  return node instanceof ArticleNode ? node.attributes.map(({ name, value }) => [name, value]) : node.attributes;
}

function isUnread(node: HtmlNode | ArticleNode): boolean {
  const name = node.localName ?? '';
  if (!UNREAD.has(name)) return false;
  if (name !== 'script' || !(node.attributes instanceof Map)) return true;
  return node.attributes.get('type') !== 'application/ld+json';
}

function elementFrom(start: ArticleNode | null, way: 'nextSibling' | 'previousSibling'): ArticleNode | null {
  let node = start;
  while (node !== null && node.nodeType !== ELEMENT) node = node[way];
  return node;
}

function styleOf(written: string | null, property: string): string {
  for (const part of (written ?? '').split(';')) {
    const colon = part.indexOf(':');
    if (colon > 0 && part.slice(0, colon).trim().toLowerCase() === property) return part.slice(colon + 1).trim();
  }
  return '';
}
