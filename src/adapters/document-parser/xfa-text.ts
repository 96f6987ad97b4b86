/** An element of pdf.js's tree of a form. */
export interface XfaNode {
  readonly name?: string;
  readonly value?: unknown;
  readonly attributes?: { readonly value?: unknown; readonly textContent?: unknown };
  readonly children?: readonly (XfaNode | null)[];
}

/** Names of elements that continue a line. */
const INLINE = new Set(['span', 'a', 'b', 'i', 'sub', 'sup', '#text']);

/** Labels and values of a form that is not made of pages, a line each. No recursion: forms nest as deep as they like. */
export function xfaText(root: XfaNode | null): string {
  const lines: string[] = [''];
  const open: (XfaNode | null)[] = [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node === null) continue;
    const { name = '', value, attributes, children = [] } = node;
    if (!INLINE.has(name)) lines.push('');
    const texts = [value, attributes?.value, attributes?.textContent].filter((text) => typeof text === 'string');
    lines[lines.length - 1] += texts[0] ?? '';
    open.push(...children.toReversed());
  }
  return lines
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('\n');
}
