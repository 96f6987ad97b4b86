/** Digits with separators inside, then a scale or a percent sign: `1,234.50`, `1.234,50`, `12 %`, `3.5 million`. */
const NUMBER =
  /\d{1,30}(?:[.,'’\u00a0\u202f](?=\d)\d{1,30}| (?=\d{3}(?!\d))\d{3}){0,10}(?:[ \u00a0\u202f-]?(?:%|percent|per cent|prozent|trillion|billion|bn|billones|milliarden?|milliards?|mrd|million(?:en|s)?|mio|mill(?:ones|ion)|mn|thousand|tausend|mille|mil|k(?![a-z])|m(?![a-z])|b(?![a-z]))|[万萬億亿兆千])?/giu;

const SCALES: Readonly<Record<string, number>> = {
  trillion: 1e12,
  billion: 1e9,
  bn: 1e9,
  billones: 1e12,
  milliarde: 1e9,
  milliarden: 1e9,
  milliard: 1e9,
  milliards: 1e9,
  mrd: 1e9,
  million: 1e6,
  millionen: 1e6,
  millions: 1e6,
  mio: 1e6,
  millones: 1e6,
  millon: 1e6,
  mn: 1e6,
  thousand: 1e3,
  tausend: 1e3,
  mille: 1e3,
  mil: 1e3,
  k: 1e3,
  m: 1e6,
  b: 1e9,
  万: 1e4,
  萬: 1e4,
  億: 1e8,
  亿: 1e8,
  兆: 1e12,
  千: 1e3,
};

/** Digits of other scripts, by their zero. */
const OTHER_DIGITS = /[\u0660-\u0669\u06f0-\u06f9\u0966-\u096f\u09e6-\u09ef\u0e50-\u0e59\uff10-\uff19]/g;
const ZEROS = [0x0660, 0x06f0, 0x0966, 0x09e6, 0x0e50, 0xff10];

const SMALL_WORDS: readonly (readonly [number, string])[] = [
  [0, 'zero no none null zéro cero zero'],
  [1, 'one first once single a an eins ein eine einen erste un une uno una premier primero um uma een 一'],
  [2, 'two second twice both pair couple half zwei zweite beide deux dos due dois duas twee 二 两 兩'],
  [3, 'three third thrice triple drei dritte trois tres tre três drie 三'],
  [4, 'four fourth quarter vier vierte quatre cuatro quattro quatro 四'],
  [5, 'five fifth fünf fünfte cinq cinco cinque vijf 五'],
  [6, 'six sixth sechs seis sei zes 六'],
  [7, 'seven seventh sieben sept siete sette sete zeven 七'],
  [8, 'eight eighth acht huit ocho otto oito 八'],
  [9, 'nine ninth neun neuf nueve nove negen 九'],
  [10, 'ten tenth decade zehn dix diez dieci dez tien 十'],
  [11, 'eleven eleventh elf onze once undici'],
  [12, 'twelve twelfth dozen zwölf dutzend douze doce dodici doze twaalf'],
  [13, 'thirteen thirteenth dreizehn treize trece'],
  [14, 'fourteen fourteenth vierzehn quatorze catorce'],
  [15, 'fifteen fifteenth fünfzehn quinze quince'],
  [16, 'sixteen sixteenth sechzehn seize'],
  [17, 'seventeen seventeenth siebzehn'],
  [18, 'eighteen eighteenth achtzehn'],
  [19, 'nineteen nineteenth neunzehn'],
  [20, 'twenty twentieth score zwanzig vingt veinte venti vinte twintig'],
  [30, 'thirty thirtieth dreißig trente treinta trenta trinta dertig'],
  [40, 'forty fortieth vierzig quarante cuarenta quaranta quarenta veertig'],
  [50, 'fifty fiftieth half fünfzig cinquante cincuenta cinquanta cinquenta vijftig'],
  [60, 'sixty sixtieth sechzig soixante sesenta'],
  [70, 'seventy siebzig'],
  [80, 'eighty achtzig'],
  [90, 'ninety neunzig'],
  [100, 'hundred century hundert cent cien ciento cento cem honderd 百'],
  [1000, 'thousand tausend mille mil duizend'],
  [1e6, 'million millionen'],
  [1e9, 'billion milliarde'],
];
const WORD_VALUES: ReadonlyMap<string, readonly number[]> = (() => {
  const values = new Map<string, number[]>();
  for (const [value, list] of SMALL_WORDS) {
    for (const word of list.split(' ')) values.set(word, [...(values.get(word) ?? []), value]);
  }
  return values;
})();
const WORD = /[一二三四五六七八九十百两兩]|(?:(?![一二三四五六七八九十百两兩])\p{L}){1,24}/gu;

/**
 * The numbers of a summary that its source does not have, as the summary writes them. Writing does not matter:
 * `1,234.50` is `1.234,50`, `12 %` is `12 percent`, `3` may be `three` in the source and `1.2 million` be `1,200,000` or be rounded from
 * `1,234,567`. Number words of the summary are not looked at.
 */
export function numbersNotFound(summary: string, source: string): readonly string[] {
  const wanted = [...foldDigits(summary).matchAll(NUMBER)];
  if (wanted.length === 0) return [];
  const known = knownValuesOf(source);
  const missing = wanted.filter(({ 0: written }) => !readings(written).some((value) => isKnown(value, written, known)));
  return [...new Set(missing.map(({ 0: written }) => written.trim()))];
}

/** A reply's summary and its facts are held against the same source, one after the other. */
let latest: { readonly source: string; readonly known: KnownValues } | undefined;

function knownValuesOf(source: string): KnownValues {
  if (latest?.source !== source) latest = { source, known: valuesOf(foldDigits(source)) };
  return latest.known;
}

interface KnownValues {
  readonly exact: ReadonlySet<number>;
  readonly sorted: readonly number[];
}

function valuesOf(source: string): KnownValues {
  const exact = new Set<number>();
  for (const { 0: written } of source.matchAll(NUMBER)) {
    for (const value of readings(written)) exact.add(value);
    // `April 23,1616` is two numbers.
    if (!/^\d+$/.test(written)) for (const part of written.match(/\d+/g) ?? []) exact.add(Number(part));
  }
  addWordValues(source, exact);
  return { exact, sorted: [...exact].sort((a, b) => a - b) };
}

/** `twenty-five`, `two hundred thousand`, `six point five`: single words, and neighbours put together. */
function addWordValues(source: string, values: Set<number>): void {
  let total = 0;
  let current = 0;
  /** What stood before `point`. */
  let whole: number | undefined;
  let end = -2;
  for (const match of source.toLowerCase().matchAll(WORD)) {
    const word = match[0];
    if (word === 'point' && match.index - end === 1) {
      whole = total + current;
      end = match.index + word.length;
      current = 0;
      continue;
    }
    const found = WORD_VALUES.get(word);
    if (found === undefined) continue;
    for (const value of found) values.add(value);
    if (match.index - end > 1) {
      total = 0;
      current = 0;
      whole = undefined;
    }
    end = match.index + word.length;
    const value = found[0] ?? 0;
    if (value >= 1000) {
      total += Math.max(1, current) * value;
      current = 0;
    } else if (value === 100 || word === '十') current = Math.max(1, current) * value;
    else current += value;
    values.add(total + current);
    if (whole !== undefined) values.add(Number(`${whole}.${value}`));
  }
}

/** All values that a written number can have; `1.234` is one and a bit, or one thousand and more. */
function readings(written: string): readonly number[] {
  const [, digits = '', unit = ''] = /^([\d.,'’\u00a0\u202f ]*\d)[ \u00a0\u202f-]?(.*)$/u.exec(written) ?? [];
  const marks = digits.replace(/\d/g, '');
  const plain = Number(digits.replace(/\D/g, ''));
  const values = new Set<number>(marks === '' || isGrouped(digits) ? [plain] : []);
  const decimal = /^(.*)[.,](\d+)$/.exec(digits);
  if (decimal !== null) {
    const value = Number(`${(decimal[1] ?? '').replace(/\D/g, '')}.${decimal[2]}`);
    if (!/[.,]\d*$/.test(decimal[1] ?? '') || isGrouped(decimal[1] ?? '')) values.add(value);
  }
  // 5:30 and 3.5.2 are read number by number.
  if (values.size === 0) for (const part of digits.split(/\D+/)) values.add(Number(part));
  const scale = SCALES[unit.toLowerCase()];
  if (scale !== undefined) for (const value of [...values]) values.add(round(value * scale));
  if (/^(?:%|per|prozent)/i.test(unit)) for (const value of [...values]) values.add(round(value / 100));
  return [...values];
}

function isGrouped(digits: string): boolean {
  return /^\d{1,3}(?:[.,'’\u00a0\u202f ]\d{3})+$/.test(digits) || /^\d{1,3}(?:[.,]\d{2,3})+[.,]\d{3}$/.test(digits);
}

function isKnown(value: number, written: string, known: KnownValues): boolean {
  if (known.exact.has(value)) return true;
  // The source gives a share where the summary has percent, and the other way round.
  if (known.exact.has(round(value * 100)) && value < 1) return true;
  // `the 90s` of 1994, `'15` of 2015
  if (/^\d\d$/.test(written) && (known.exact.has(1900 + value) || known.exact.has(2000 + value))) return true;
  const tolerance = roundingOf(value);
  return tolerance > 0 && hasBetween(known.sorted, value - tolerance, value + tolerance);
}

/** How far a value may be from one that it was rounded from. Years and small whole numbers are not rounded. */
function roundingOf(value: number): number {
  if (Number.isInteger(value)) {
    if (value < 100 || (value >= 1500 && value <= 2100)) return value < 100 && value > 0 ? 0.5 : 0;
    let unit = 1;
    while (value % (unit * 10) === 0) unit *= 10;
    return Math.min(unit / 2, value * 0.05);
  }
  const decimals = String(value).split('.')[1]?.length ?? 0;
  return 0.5 * 10 ** -decimals;
}

function hasBetween(sorted: readonly number[], from: number, to: number): boolean {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  const next = sorted[low];
  return next !== undefined && next <= to;
}

/** Sums and products of decimals are compared, so their last bits must not count. */
function round(value: number): number {
  return Number(value.toPrecision(12));
}

function foldDigits(text: string): string {
  return text.replace(OTHER_DIGITS, (digit) => {
    const code = digit.charCodeAt(0);
    return String(code - (ZEROS.find((zero) => code >= zero && code < zero + 10) ?? code));
  });
}
