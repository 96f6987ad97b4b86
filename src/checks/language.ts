import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { eld as Detector } from 'eld/extrasmall';
import { FUNCTION_WORDS } from '../local-model/function-words.ts';
import { words } from '../local-model/words.ts';

export interface LanguageProblem {
  /** English names, or as the config has it. */
  readonly found: string;
  readonly wanted: string;
}

/** Shorter texts are names and figures as often as language. */
const MIN_LETTERS = 100;
const SAMPLE_CHARS = 1_500;
/** The language asked for must fit much worse than the one found. */
const CLEARLY_WORSE = 0.75;
/** English has far more of its grammar words than this, other languages far fewer. */
const ENGLISH_SHARE = 0.25;

/** Languages that are written so much alike that a short text does not tell them apart. */
const ALIKE: readonly string[] = [
  'da no',
  'hr sr sl',
  'cs sk',
  'ms id',
  'hi mr',
  'az tr',
  'be uk ru bg',
  'gl pt',
  'ca es',
  'ur fa ar',
];

/**
 * Whether a summary is certainly in another language than it should be: the one asked for, or that of its source.
 * Short and mixed texts, and languages that are not known, are taken as right.
 */
export function languageProblem(
  summary: string,
  source: string,
  wantedName: string | undefined,
): LanguageProblem | undefined {
  if (letters(summary) < MIN_LETTERS) return undefined;
  const wanted = wantedName === undefined ? languageOfSource(source) : languageCode(wantedName);
  if (wanted === undefined) return undefined;
  if (wanted === 'en' && isPlainEnglish(summary)) return undefined;
  const detected = detect(summary.slice(0, SAMPLE_CHARS));
  if (detected === undefined || detected.language === wanted || areAlike(detected.language, wanted)) return undefined;
  const { [wanted]: expected = 0, [detected.language]: best = 0 } = detected.scores;
  if (expected > best * CLEARLY_WORSE) return undefined;
  return { found: englishName(detected.language), wanted: wantedName ?? englishName(wanted) };
}

/** The one language of a text's beginning, middle and end; undefined where they differ or are too short. */
export function languageOfSource(source: string): string | undefined {
  const samples =
    source.length <= 3 * SAMPLE_CHARS
      ? [source]
      : [0, 0.5, 1].map((share) => sampleAt(source, Math.floor((source.length - SAMPLE_CHARS) * share)));
  const found = new Set(samples.map(languageOf));
  return found.size === 1 ? [...found][0] : undefined;
}

function sampleAt(text: string, start: number): string {
  return text.slice(start, start + SAMPLE_CHARS);
}

function languageOf(text: string): string | undefined {
  if (letters(text) < MIN_LETTERS) return undefined;
  return isPlainEnglish(text) ? 'en' : detect(text)?.language;
}

function letters(text: string): number {
  return text.slice(0, SAMPLE_CHARS).match(/\p{L}/gu)?.length ?? 0;
}

/** Most texts are; they need no detector, which takes half a second and 90 MB to load. */
function isPlainEnglish(text: string): boolean {
  const tokens = words(text.slice(0, SAMPLE_CHARS));
  return tokens.filter((word) => FUNCTION_WORDS.has(word)).length >= ENGLISH_SHARE * tokens.length;
}

const require = createRequire(import.meta.url);
let detector: typeof Detector | undefined;

function detect(text: string): { language: string; scores: Readonly<Record<string, number>> } | undefined {
  // The package is only exported to import(), which is asynchronous; its files are synchronous.
  detector ??= (require(fileURLToPath(import.meta.resolve('eld/extrasmall'))) as { eld: typeof Detector }).eld;
  const result = detector.detect(text);
  return result.language === '' || !result.isReliable()
    ? undefined
    : { language: result.language, scores: result.getScores() };
}

function areAlike(a: string, b: string): boolean {
  return ALIKE.some((group) => group.split(' ').includes(a) && group.split(' ').includes(b));
}

const CODES =
  'am ar az be bg bn ca cs da de el en es et eu fa fi fr gu he hi hr hu hy is it ja ka kn ko ku lo lt lv ml mr ms nl no or pa pl pt ro ru sk sl sq sr sv ta te th tl tr uk ur vi yo zh'.split(
    ' ',
  );

let codeByName: ReadonlyMap<string, string> | undefined;

/** `de` for `German`, `Deutsch`, `de` or `de-AT`; undefined where the name is none that the detector knows. */
export function languageCode(name: string): string | undefined {
  codeByName ??= new Map(
    CODES.flatMap((code) => [
      [code, code] as const,
      [englishName(code).toLowerCase(), code] as const,
      [nameOf(code, code).toLowerCase(), code] as const,
    ]),
  );
  const folded = name.trim().toLowerCase();
  return codeByName.get(folded) ?? codeByName.get(/^([a-z]{2})(?:[-_ (]|$)/.exec(folded)?.[1] ?? '');
}

function englishName(code: string): string {
  return nameOf(code, 'en');
}

function nameOf(code: string, inLanguage: string): string {
  return new Intl.DisplayNames([inLanguage], { type: 'language' }).of(code) ?? code;
}
