/** Groups whose text is not part of the document. */
const SKIPPED = new Set(
  'fonttbl colortbl stylesheet info pict object objdata themedata colorschememapping datastore latentstyles listtable listoverridetable rsidtbl generator xmlnstbl filetbl revtbl fldinst header footer headerl headerr headerf footerl footerr footerf bkmkstart bkmkend private1'.split(
    ' ',
  ),
);
const CHARACTERS: Readonly<Record<string, string>> = {
  par: '\n',
  line: '\n',
  sect: '\n',
  page: '\n',
  row: '\n',
  cell: '\t',
  tab: '\t',
  emdash: '—',
  endash: '–',
  bullet: '•',
  lquote: '‘',
  rquote: '’',
  ldblquote: '“',
  rdblquote: '”',
  emspace: ' ',
  enspace: ' ',
};

interface Group {
  readonly skipped: boolean;
  /** Characters that stand behind `\u` for readers that do not know it. */
  readonly fallback: number;
}

/** Text of Rich Text Format: paragraphs and cells, no fonts, pictures, headers or styles; undefined where it is none. */
export function rtfToText(source: string): string | undefined {
  if (!/^\s*\{\\rtf/.test(source)) return undefined;
  const page = /\\ansicpg(\d+)/.exec(source)?.[1] ?? '1252';
  const text = new RtfText(decoderOf(page));
  const open: Group[] = [];
  let group: Group = { skipped: false, fallback: 1 };
  for (const match of source.matchAll(
    /\\'([0-9a-f]{2})|\\([a-z]+)(-?\d+)? ?|\\([^a-z])|([{}])|[\r\n]+|([^\\{}\r\n]+)/gi,
  )) {
    const [, byte, word, number, symbol, brace, plain] = match;
    if (brace === '{') open.push(group);
    else if (brace === '}') group = open.pop() ?? group;
    else if (symbol === '*') group = { ...group, skipped: true };
    else if (word !== undefined) {
      if (SKIPPED.has(word)) group = { ...group, skipped: true };
      else if (word === 'uc') group = { ...group, fallback: Number(number ?? 1) };
      else if (word === 'bin') return undefined;
      else if (!group.skipped) text.command(word, Number(number), group.fallback);
    } else if (group.skipped) continue;
    else if (byte !== undefined) text.byte(Number.parseInt(byte, 16));
    else if (symbol !== undefined) text.add({ '~': '\u00a0', _: '-', '-': '' }[symbol] ?? symbol);
    else if (plain !== undefined) text.add(plain);
  }
  return text.end();
}

class RtfText {
  readonly #decoder: TextDecoder;
  readonly #parts: string[] = [];
  #bytes: number[] = [];
  #units = '';
  /** Characters still to be left out: they stand for the `\u` before them. */
  #skip = 0;

  constructor(decoder: TextDecoder) {
    this.#decoder = decoder;
  }

  command(word: string, number: number, fallback: number): void {
    if (word === 'u') {
      this.#flushBytes();
      this.#units += String.fromCharCode(number < 0 ? number + 65_536 : number);
      this.#skip = fallback;
    } else {
      const character = CHARACTERS[word];
      if (character !== undefined) this.add(character);
    }
  }

  byte(value: number): void {
    if (this.#skip > 0) this.#skip -= 1;
    else {
      this.#flushUnits();
      this.#bytes.push(value);
    }
  }

  add(text: string): void {
    const skipped = Math.min(this.#skip, text.length);
    this.#skip -= skipped;
    if (skipped === text.length) return;
    this.#flushBytes();
    this.#flushUnits();
    this.#parts.push(text.slice(skipped));
  }

  end(): string {
    this.#flushBytes();
    this.#flushUnits();
    return this.#parts.join('').toWellFormed().trim();
  }

  #flushBytes(): void {
    if (this.#bytes.length > 0) this.#parts.push(this.#decoder.decode(Uint8Array.from(this.#bytes)));
    this.#bytes = [];
  }

  #flushUnits(): void {
    if (this.#units !== '') this.#parts.push(this.#units);
    this.#units = '';
  }
}

function decoderOf(page: string): TextDecoder {
  const name = { '932': 'shift_jis', '936': 'gbk', '949': 'euc-kr', '950': 'big5', '65001': 'utf-8' }[page];
  try {
    return new TextDecoder(name ?? `windows-${page}`);
  } catch {
    return new TextDecoder('windows-1252');
  }
}
