import { attributeOf, type TextNode } from './text-node.ts';

const TEXT = 3;
const WRITTEN = new Set(['text', 'foreignobject']);
const NOT_SHOWN = new Set(['style', 'script', 'title', 'desc', 'metadata']);
/** Kinds of input whose value a page shows as text that somebody has written. */
const WRITABLE = new Set([
  '',
  'text',
  'email',
  'tel',
  'url',
  'number',
  'date',
  'datetime-local',
  'month',
  'week',
  'time',
]);

/** What is written in a drawing: labels of a chart, and pieces of a page inside it. No recursion: drawings nest as deep as they like. */
export function drawnText(drawing: TextNode): string {
  const parts: string[] = [];
  const open: { readonly node: TextNode; readonly isWritten: boolean }[] = [{ node: drawing, isWritten: false }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { node, isWritten } = next;
    if (node !== drawing && node.nextSibling !== null) open.push({ node: node.nextSibling, isWritten });
    if (node.nodeType === TEXT) {
      if (isWritten) parts.push((node.data ?? '').trim());
      continue;
    }
    const name = node.localName?.toLowerCase() ?? '';
    if (NOT_SHOWN.has(name) || node.firstChild === null) continue;
    open.push({ node: node.firstChild, isWritten: isWritten || WRITTEN.has(name) });
  }
  const text = parts.filter((part) => part !== '').join(' ');
  return text === '' ? '' : ` ${text} `;
}

/** The value of a field of a form. */
export function filledIn(input: TextNode): string {
  const value = (attributeOf(input, 'value') ?? '').trim();
  return value !== '' && WRITABLE.has((attributeOf(input, 'type') ?? '').toLowerCase()) ? ` ${value} ` : '';
}
