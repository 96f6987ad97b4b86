import { attributeOf, type TextNode } from './text-node.ts';

/** Formulas do not nest deeper; what does is read flat. */
const MAX_DEPTH = 40;

/** A formula as a line of text: the TeX that the page has beside it, else its MathML as `(a+b)/2`, `x^2`, `√(y)`. */
export function formulaText(math: TextNode): string {
  const written = attributeOf(math, 'alttext') ?? texOf(math, 0);
  return (written ?? linear(math, 0)).replace(/\s+/g, ' ').trim();
}

/** What the text beside a picture of a formula says; empty for other pictures, whose texts describe them. */
export function formulaOfPicture(picture: TextNode): string {
  const text = (attributeOf(picture, 'alt') ?? '').trim();
  const names = `${attributeOf(picture, 'class') ?? ''} ${attributeOf(picture, 'src') ?? ''}`;
  const isFormula = /\b(?:math|tex|latex|equation|formula)\b|mathjax|mwe-math|codecogs|mimetex|mathtex/i.test(names);
  return isFormula || /^\$.+\$$|^\\[a-zA-Z([]|\\(?:frac|sqrt|sum|int|alpha|beta)\b/s.test(text) ? text : '';
}

function texOf(node: TextNode, depth: number): string | undefined {
  for (const child of childrenOf(node)) {
    if (nameOf(child) === 'annotation' && /tex/i.test(attributeOf(child, 'encoding') ?? '')) return flat(child);
    const found = depth < MAX_DEPTH ? texOf(child, depth + 1) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function linear(node: TextNode, depth: number): string {
  if (node.nodeType === 3) return (node.data ?? '').trim();
  const name = nameOf(node);
  if (name === 'annotation' || name === 'annotation-xml' || depth > MAX_DEPTH) return '';
  const parts = childrenOf(node)
    .map((child) => linear(child, depth + 1))
    .filter((part) => part !== '');
  const [first = '', second = '', third = ''] = parts;
  switch (name) {
    case 'mfrac':
      return `${grouped(first)}/${grouped(second)}`;
    case 'msup':
    case 'mover':
      return `${grouped(first)}^${grouped(second)}`;
    case 'msub':
    case 'munder':
      return `${grouped(first)}_${grouped(second)}`;
    case 'msubsup':
    case 'munderover':
      return `${grouped(first)}_${grouped(second)}^${grouped(third)}`;
    case 'msqrt':
      return `√(${parts.join('')})`;
    case 'mroot':
      return `√[${second}](${first})`;
    case 'mtd':
      return `${parts.join('')} `;
    case 'mtr':
      return `${parts.join('')}; `;
    default:
      return parts.join('');
  }
}

function grouped(text: string): string {
  return [...text].length > 1 && !/^[\d.,]+$/.test(text) ? `(${text})` : text;
}

function flat(node: TextNode): string {
  return childrenOf(node)
    .map((child) => child.data ?? '')
    .join('');
}

function childrenOf(node: TextNode): readonly TextNode[] {
  const children: TextNode[] = [];
  for (let child = node.firstChild ?? null; child !== null; child = child.nextSibling) children.push(child);
  return children;
}

function nameOf(node: TextNode): string {
  return node.localName?.toLowerCase() ?? '';
}
