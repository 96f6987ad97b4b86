import { parseJson } from '../text/json-value.ts';

/** Braces in prose begin no object; after so many of them the rest is not looked at, since each may be parsed to its end. */
const MAX_FALSE_STARTS = 100;

/**
 * The `{…}` of a text that are not inside another, in order; braces inside strings do not count. One that is no JSON and
 * has another brace inside may be prose, so what stands in it is tried as well.
 */
export function objectsIn(text: string): string[] {
  const found: string[] = [];
  // Of each brace where its object ends, -1 where never, 0 while nobody has looked.
  const ends = new Int32Array(text.length);
  let falseStarts = 0;
  for (let start = text.indexOf('{'); start !== -1 && falseStarts <= MAX_FALSE_STARTS; ) {
    const end = ends[start] || endOfObject(text, start, ends);
    const span = end === -1 ? undefined : text.slice(start, end);
    const isWhole = span !== undefined && (parseJson(span) !== undefined || !span.includes('{', 1));
    if (span !== undefined && isWhole) found.push(span);
    else {
      falseStarts += 1;
      if (span !== undefined) found.push(span);
    }
    start = text.indexOf('{', isWhole ? end : start + 1);
  }
  return found;
}

/** -1: it is never closed. The objects inside are found on the same way and noted in `ends`, for when they are tried too. */
function endOfObject(text: string, start: number, ends: Int32Array): number {
  const open: number[] = [];
  let inString = false;
  for (let index = start; index < text.length; index++) {
    const char = text[index];
    if (inString) {
      if (char === '\\') index += 1;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === '{') open.push(index);
    else if (char === '}') {
      const opened = open.pop() ?? start;
      ends[opened] = index + 1;
      if (opened === start) return index + 1;
    }
  }
  for (const unclosed of open) ends[unclosed] = -1;
  return -1;
}

/**
 * Almost JSON with its strings made right: line breaks and tabs in them are escaped, and quotes after which no JSON can
 * continue.
 */
export function escapeStrings(text: string): string {
  let written = '';
  let inString = false;
  let isKey = false;
  const containers: string[] = [];
  for (let index = 0; index < text.length; index++) {
    const char = text.charAt(index);
    if (!inString) {
      if (char === '{' || char === '[') containers.push(char);
      if (char === '}' || char === ']') containers.pop();
      inString = char === '"';
      if (inString) isKey = containers.at(-1) === '{' && !/:\s*$/.test(text.slice(Math.max(0, index - 20), index));
      written += char;
    } else if (char === '\\') {
      written += text.slice(index, index + 2);
      index += 1;
    } else if (char === '"' && endsString(text, index + 1, isKey, containers.at(-1))) {
      inString = false;
      written += char;
    } else if (char === '"') written += '\\"';
    else written += char < ' ' ? JSON.stringify(char).slice(1, -1) : char;
  }
  return written;
}

const AFTER_KEY = /\s*:/y;
const AFTER_VALUE = /\s*(?:\}|\]|,\s*"[^"]{0,60}"\s*:)/y;
const AFTER_ITEM = /\s*(?:\]|,\s*["\d[{tfn-])/y;

function endsString(text: string, at: number, isKey: boolean, container: string | undefined): boolean {
  const after = isKey ? AFTER_KEY : container === '[' ? AFTER_ITEM : AFTER_VALUE;
  after.lastIndex = at;
  return after.test(text);
}
