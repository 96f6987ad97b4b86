import { finish, type Steps } from '../runtime/steps.ts';
import { type CutPoint, findCutsInRun, findSentenceStarts } from './split-text.ts';
import { CUT_STRENGTH, findTextBlocks, type Heading, type TextBlocks } from './text-blocks.ts';
import { countTokens, countTokensInSteps } from './tokens.ts';

/** A part of a text that one model call can take. The chunks of a text, from `start` to `end`, put together give it exactly. */
export interface Chunk {
  /** UTF-16 offsets into the text, the overlap left out. Never inside a grapheme. */
  readonly start: number;
  readonly end: number;
  /** Where the overlap with the chunk before begins; equals `start` where there is none. Send `text.slice(overlapStart, end)`. */
  readonly overlapStart: number;
  /** Counted tokens of `text.slice(overlapStart, end)`, at most `maxTokens`. */
  readonly tokens: number;
  /** Headings that the chunk's start lies under, outermost first, with one that it begins with. */
  readonly headingPath: readonly string[];
}

export interface ChunkOptions {
  /** Most tokens of a chunk, its overlap included; at least 16. */
  readonly maxTokens: number;
  /** Most tokens repeated from the chunk before, whole sentences where they fit. Default 0; at most half of `maxTokens`. */
  readonly overlapTokens?: number;
  /** Tokens of the whole text, where they are known: saves counting them once more. */
  readonly textTokens?: number;
  /** Another way to count; it must not give more than three a UTF-16 unit. Default: {@link countTokens}. */
  readonly count?: (text: string) => number;
}

/** Counts `text[from, to)`. */
type Measure = (from: number, to: number) => Steps<number>;

/** Every code point fits: it has at most four bytes, and a token is at least one. */
const MIN_MAX_TOKENS = 16;
/** UTF-8 bytes, and so tokens, that one UTF-16 unit can have. */
const MAX_TOKENS_PER_UNIT = 3;
/** Atoms of at most this part of a chunk leave a choice of good cuts near its end. */
const ATOMS_PER_CHUNK = 4;
/** A chunk ends at the best place between this part of its even share and the limit. */
const MIN_SHARE = 0.75;

/** Only runs of spaces and the like have more. */
const MAX_UNITS_PER_TOKEN = 16;
/** Longer stretches are counted in steps. */
const COUNTED_AT_ONCE_UNITS = 65_536;
/** Shorter sentences and lines go with the next one, so that a million empty lines are not a million atoms. */
const MIN_SENTENCE_UNITS = 16;

/** A stretch of text that is not cut unless it has to be. Atoms follow each other without gaps. */
interface Atom {
  readonly start: number;
  /** How well the text may be cut before it. */
  readonly strength: number;
  readonly tokens: number;
}

/**
 * Cuts `text` into chunks of about even size at the best places: headings, paragraphs, list items, sentences and
 * lines, words, and graphemes where there is nothing else. A grapheme is only parted where it is longer than 256 UTF-16
 * units or has more tokens than a chunk may have, which no writing does. Time is linear in the text's length. An empty text has no chunks.
 *
 * @throws {RangeError} `maxTokens` below 16, or `overlapTokens` negative or above half of it
 */
export function chunkText(text: string, options: ChunkOptions): readonly Chunk[] {
  return finish(chunkTextInSteps(text, options));
}

/** As {@link chunkText}, yielding after every few milliseconds. */
export function* chunkTextInSteps(text: string, options: ChunkOptions): Steps<readonly Chunk[]> {
  const { maxTokens, overlapTokens = 0 } = options;
  checkOptions(maxTokens, overlapTokens);
  if (text === '') return [];
  const measure = measureOf(text, options.count);
  const { headings, ...blocks } = findTextBlocks(text);
  yield;
  const headingPathAt = followHeadings(headings);
  // Counting all of a text that will not fit would be a waste.
  const mayFit = text.length <= maxTokens * MAX_UNITS_PER_TOKEN && (options.textTokens ?? 0) <= maxTokens;
  const tokens = mayFit ? yield* measure(0, text.length) : Number.POSITIVE_INFINITY;
  if (tokens <= maxTokens) {
    return [{ start: 0, end: text.length, overlapStart: 0, tokens, headingPath: headingPathAt(0) }];
  }
  const limit = maxTokens - overlapTokens;
  const atoms = yield* findAtoms(text, blocks, limit, measure);
  const startOf = (index: number): number => atoms[index]?.start ?? text.length;
  const chunks: Chunk[] = [];
  let remaining = atoms.reduce((sum, atom) => sum + atom.tokens, 0);
  let first = 0;
  while (first < atoms.length) {
    const start = startOf(first);
    let next = chooseNext(atoms, first, remaining, limit);
    // Tokens of parts add up to those of the whole only nearly, and on runs that are counted in parts not even that.
    let bodyTokens = yield* measure(start, startOf(next));
    while (bodyTokens > limit && next > first + 1) {
      next = first + Math.max(1, Math.floor((next - first) * Math.min(limit / bodyTokens, 0.99)));
      bodyTokens = yield* measure(start, startOf(next));
    }
    const body = { start, end: startOf(next), tokens: bodyTokens };
    const overlap = yield* findOverlap(text, body, chunks.at(-1), options, measure);
    chunks.push({ ...body, ...overlap, headingPath: headingPathAt(start) });
    for (; first < next; first++) remaining -= atoms[first]?.tokens ?? 0;
    yield;
  }
  return chunks;
}

function measureOf(text: string, count: (text: string) => number = countTokens): Measure {
  return function* (from, to) {
    const part = text.slice(from, to);
    if (count === countTokens && part.length > COUNTED_AT_ONCE_UNITS) return yield* countTokensInSteps(part);
    return count(part);
  };
}

function checkOptions(maxTokens: number, overlapTokens: number): void {
  if (!(maxTokens >= MIN_MAX_TOKENS)) {
    throw new RangeError(`Cannot cut a text into chunks of ${maxTokens} tokens: allow at least ${MIN_MAX_TOKENS}`);
  }
  if (!(overlapTokens >= 0 && overlapTokens <= maxTokens / 2)) {
    throw new RangeError(
      `Cannot overlap chunks of ${maxTokens} tokens by ${overlapTokens}: use a number from 0 to ${Math.floor(maxTokens / 2)}`,
    );
  }
}

function* findAtoms(
  text: string,
  blocks: Pick<TextBlocks, 'starts' | 'strengths'>,
  limit: number,
  measure: Measure,
): Steps<readonly Atom[]> {
  const maxAtomTokens = Math.floor(limit / ATOMS_PER_CHUNK);
  const run = { maxUnits: Math.max(1, Math.floor(maxAtomTokens / MAX_TOKENS_PER_UNIT)), maxTokens: limit };
  const atoms: Atom[] = [];

  function* addRun(from: number, to: number, strength: number): Steps<void> {
    let open: CutPoint = { at: from, strength };
    for (const cut of findCutsInRun(text, from, to, run)) {
      atoms.push({ start: open.at, strength: open.strength, tokens: yield* measure(open.at, cut.at) });
      open = cut;
      yield;
    }
    atoms.push({ start: open.at, strength: open.strength, tokens: yield* measure(open.at, to) });
  }
  function* add(from: number, to: number, strength: number, split: typeof addRun): Steps<void> {
    const short = to - from <= maxAtomTokens * MAX_UNITS_PER_TOKEN;
    const tokens = short ? yield* measure(from, to) : Number.POSITIVE_INFINITY;
    if (tokens <= maxAtomTokens) atoms.push({ start: from, strength, tokens });
    else yield* split(from, to, strength);
    yield;
  }
  function* addSentences(from: number, to: number, strength: number): Steps<void> {
    let open: CutPoint = { at: from, strength };
    for (const at of findSentenceStarts(text, from, to)) {
      if (at - open.at < MIN_SENTENCE_UNITS) continue;
      yield* add(open.at, at, open.strength, addRun);
      open = { at, strength: CUT_STRENGTH.sentence };
    }
    yield* add(open.at, to, open.strength, addRun);
  }

  for (const [index, from] of blocks.starts.entries()) {
    const to = blocks.starts[index + 1] ?? text.length;
    yield* add(from, to, blocks.strengths[index] ?? CUT_STRENGTH.paragraph, addSentences);
  }
  return atoms;
}

/** The atom that the chunk after the one beginning at `first` begins with: best cut, then most even size. */
function chooseNext(atoms: readonly Atom[], first: number, remaining: number, limit: number): number {
  if (remaining <= limit) return atoms.length;
  const share = remaining / Math.ceil(remaining / limit);
  let best: { readonly next: number; readonly strength: number; readonly distance: number } | undefined;
  let next = first;
  for (let sum = 0; next < atoms.length; ) {
    sum += atoms[next]?.tokens ?? 0;
    if (sum > limit && next > first) break;
    next++;
    if (sum < share * MIN_SHARE) continue;
    const strength = atoms[next]?.strength ?? CUT_STRENGTH.paragraph;
    const distance = Math.abs(sum - share);
    if (best === undefined || strength > best.strength || (strength === best.strength && distance < best.distance)) {
      best = { next, strength, distance };
    }
  }
  return best?.next ?? next;
}

/** As many whole sentences of the chunk before as fit; none where its last sentence is too long. */
function* findOverlap(
  text: string,
  body: { readonly start: number; readonly end: number; readonly tokens: number },
  before: Chunk | undefined,
  { maxTokens, overlapTokens = 0 }: ChunkOptions,
  measure: Measure,
): Steps<Pick<Chunk, 'overlapStart' | 'tokens'>> {
  const none = { overlapStart: body.start, tokens: body.tokens };
  if (before === undefined || overlapTokens === 0) return none;
  const from = Math.max(before.start, body.start - overlapTokens * MAX_UNITS_PER_TOKEN);
  const starts = [...findSentenceStarts(text, from, body.start)];
  let overlapStart = body.start;
  let sum = 0;
  for (let at = starts.pop(); at !== undefined; at = starts.pop()) {
    sum += yield* measure(at, overlapStart);
    if (sum > overlapTokens) break;
    overlapStart = at;
  }
  const tokens = yield* measure(overlapStart, body.end);
  return tokens <= maxTokens ? { overlapStart, tokens } : none;
}

/** Headings above a place; places must be asked for in ascending order. */
function followHeadings(headings: readonly Heading[]): (at: number) => readonly string[] {
  let open: readonly Heading[] = [];
  let next = 0;
  return (at) => {
    for (let heading = headings[next]; heading !== undefined && heading.at <= at; heading = headings[++next]) {
      const { level } = heading;
      open = [...open.filter((outer) => outer.level < level), heading];
    }
    return open.map((heading) => heading.title);
  };
}
