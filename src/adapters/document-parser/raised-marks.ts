import { walkTree } from './html-tree.ts';
import type { TextNode } from './text-node.ts';

/** Endings of ordinal numbers and titles that are set high: 1st, Mme, M r. */
const ORDINALS = new Set([
  'st',
  'nd',
  'rd',
  'th',
  'er',
  're',
  'e',
  'o',
  'a',
  'ème',
  'me',
  'mo',
  'tm',
  '®',
  '™',
  'r',
  's',
]);
const MAX_RAISED = 40;
/** Longer words are no units, so a number above them is a note. */
const LONGEST_UNIT = 3;

/**
 * What goes before and behind a raised text, so that 10<sup>6</sup> is not 106 and a note's mark is no number of the
 * sentence: `10^6`, `m^2`, `note[3]`.
 *
 * @param tail the text that the raised one touches
 */
export function raisedMarks(node: TextNode, tail: string): readonly [string, string] {
  const raised = textOf(node).trim();
  if (raised === '' || tail === '' || ORDINALS.has(raised.toLowerCase()) || /^[[(]/.test(raised)) return ['', ''];
  const word = /[\p{L}]+$/u.exec(tail)?.[0] ?? '';
  const isNumber = /^\d{1,3}([,;\-–]\d{1,3})*$/.test(raised);
  if (isNumber && (word.length > LONGEST_UNIT || /[.,;:!?'"’”»)\]]$/.test(tail))) return ['[', ']'];
  if (/^[*†‡§¶]/.test(raised)) return ['', ''];
  return [...raised].length > 1 && !/^[+\-−]?[\d.,]+$/.test(raised) ? ['^(', ')'] : ['^', ''];
}

/** The beginning: a long text is not raised but a paragraph in the wrong element. */
function textOf(root: TextNode): string {
  let text = '';
  for (const { node } of walkTree(root)) {
    if (node.nodeType === 3) text += node.data ?? '';
    if (text.length > MAX_RAISED) break;
  }
  return text.slice(0, MAX_RAISED);
}
