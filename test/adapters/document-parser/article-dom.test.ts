import { expect, test } from 'vitest';
import { ArticleDocument, type ArticleNode } from '../../../src/adapters/document-parser/article-dom.ts';
import { parseHtml } from '../../../src/adapters/document-parser/html-tree.ts';
import { Random } from '../../helpers/random.ts';

const open = (markup: string) => new ArticleDocument(parseHtml(markup));
const bodyOf = (markup: string) => open(markup).body as ArticleNode;
const namesOf = (nodes: readonly ArticleNode[]) => nodes.map(({ localName, data }) => localName || data);

test('holds the page with its title, without styles and scripts that do not describe it', () => {
  const document = open(
    '<!doctype html><title> A\n page </title><style>p {}</style><script>x()</script>' +
      '<script type="application/ld+json">{}</script><p id="one" class="a b" style="Display: none; visibility:hidden">Text',
  );
  expect(document.title).toBe('A page');
  expect(document.documentElement?.tagName).toBe('HTML');
  expect(document.getElementsByTagName('script').map(({ textContent }) => textContent)).toEqual(['{}']);
  expect(document.getElementsByTagName('STYLE')).toEqual([]);
  const [paragraph] = document.querySelectorAll('p,div');
  expect(paragraph).toMatchObject({ id: 'one', className: 'a b', style: { display: 'none', visibility: 'hidden' } });
});

test('elements of several names come in the order of the page', () => {
  const body = bodyOf('<div><p>1</p></div><h2>2</h2><p>3</p>');
  expect(namesOf(body.querySelectorAll('P,H2'))).toEqual(['p', 'h2', 'p']);
  expect(body.getElementsByTagName('*')).toHaveLength(4);
});

test('nodes are moved, replaced and removed, and their neighbours know it', () => {
  const body = bodyOf('<p>1</p>two<b>3</b><i>4</i>');
  const [first, second, third, fourth] = body.childNodes as [ArticleNode, ArticleNode, ArticleNode, ArticleNode];
  const made = body.ownerDocument.createElement('H1');
  expect(body.replaceChild(made, second)).toBe(second);
  expect([second.parentNode, second.nextSibling, second.previousSibling]).toEqual([null, null, null]);
  body.appendChild(first);
  expect(namesOf(body.childNodes)).toEqual(['h1', 'b', 'i', 'p']);
  body.removeChild(third);
  expect(namesOf(body.children)).toEqual(['h1', 'i', 'p']);
  expect(made.nextElementSibling).toBe(fourth);
  expect(fourth.previousElementSibling).toBe(made);
  expect(body.lastChild).toBe(first);
});

test('texts follow every change under an element', () => {
  const random = new Random(7);
  const body = bodyOf('<div>a<p>b<i>c</i></p></div><ul><li>d<li>e</ul><p>f<b>g</b></p>');
  const written = (node: ArticleNode): string => node.data + node.childNodes.map(written).join('');
  for (let step = 0; step < 200; step++) {
    const all = body.getElementsByTagName('*');
    const pick = () => all[Math.floor(random.next() * all.length)] as ArticleNode;
    const [moved, to] = [pick(), pick()];
    const isUnder = to === moved || moved.getElementsByTagName('*').includes(to);
    if (!isUnder) to.appendChild(moved);
    to.appendChild(body.ownerDocument.createTextNode(String(step)));
    if (step % 5 === 0) pick().firstChild?.remove();
    if (body.firstElementChild === null) break;
    for (const node of [body, ...body.getElementsByTagName('*')]) expect(node.textContent).toBe(written(node));
  }
});

test('attributes are set, copied and taken away', () => {
  const [link] = bodyOf('<a href="/x" title="t">x</a>').children as [ArticleNode];
  link.setAttribute('href', '/y');
  link.removeAttribute('title');
  link.setAttributeNode({ name: 'rel', value: 'z', cloneNode: () => expect.fail() } as never);
  expect([link.getAttribute('href'), link.hasAttribute('title'), link.getAttribute('rel')]).toEqual(['/y', false, 'z']);
  expect(link.getAttribute('none')).toBe(null);
});

test('what the body held comes back as often as it is asked for', () => {
  const body = bodyOf('<div class="k">one<p>two</p></div>');
  const kept = body.innerHTML;
  for (let round = 0; round < 3; round++) {
    body.firstChild?.remove();
    expect(body.textContent).toBe('');
    body.innerHTML = kept;
    expect(body.textContent).toBe('onetwo');
    expect(body.firstElementChild?.className).toBe('k');
  }
});

test('addresses in an embedded film are seen, the markup of other elements is not written', () => {
  const body = bodyOf('<object><param value="https://video.example/1"></object><p>text</p>');
  expect(body.children.map(({ innerHTML }) => innerHTML)).toEqual(['https://video.example/1', '']);
});
