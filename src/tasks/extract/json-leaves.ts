/** A value of a JSON text that is neither an object nor a list, and where it is: UTF-16 offsets. */
export interface JsonLeaf {
  readonly path: readonly (string | number)[];
  readonly from: number;
  readonly to: number;
}

const TOKEN = /[{}[\],:]|"(?:[^"\\]|\\.)*"|[^\s{}[\],:"]+/y;
const SPACE = /\s*/y;

/** The leaves of a text that is JSON, in its order. Of one that is not, those before its fault. */
export function jsonLeaves(text: string): readonly JsonLeaf[] {
  const leaves: JsonLeaf[] = [];
  /** The open objects and lists, each with the name or the position that the next value has. */
  const open: { readonly isList: boolean; key: string | number }[] = [];
  let isName = false;
  for (let at = skipSpace(text, 0); at < text.length; at = skipSpace(text, TOKEN.lastIndex)) {
    TOKEN.lastIndex = at;
    const [token] = TOKEN.exec(text) ?? [];
    if (token === undefined) break;
    const inside = open.at(-1);
    if (token === '{' || token === '[') {
      open.push({ isList: token === '[', key: token === '[' ? 0 : '' });
      isName = token === '{';
    } else if (token === '}' || token === ']') {
      open.pop();
      isName = false;
    } else if (token === ',') {
      if (inside !== undefined && typeof inside.key === 'number') inside.key += 1;
      isName = inside?.isList === false;
    } else if (token === ':') isName = false;
    else if (isName && inside !== undefined) inside.key = JSON.parse(token) as string;
    else leaves.push({ path: open.map(({ key }) => key), from: at, to: at + token.length });
  }
  return leaves;
}

function skipSpace(text: string, at: number): number {
  SPACE.lastIndex = at;
  SPACE.exec(text);
  return SPACE.lastIndex;
}
