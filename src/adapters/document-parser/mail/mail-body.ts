import type { MimePart } from './mime-tree.ts';
import { isTextPart, type PartText, partToText, type UnreadPart } from './part-to-text.ts';
import { wordShare, wordsOf } from './word-share.ts';

export interface MailBody extends PartText {
  /** Files with text that were not taken for the letter. */
  readonly files: readonly MimePart[];
}

/** Text of a message inside the mail, its head included. */
export type MessageReader = (message: MimePart) => MailBody;

const NOTHING: MailBody = { text: '', warnings: [], unread: [], files: [] };
/** A part that has a smaller share of another one's words is not the same letter. */
const SAME_LETTER = 0.7;
const SAME_PART = 0.95;
const FEW_WORDS = 5;
/** A plain part with so many words is a letter, whatever the HTML that cannot be read is. */
const A_LETTER_WORDS = 50;

/** What a mail program would show of a mail, and what of it is not text. */
export function readBody(part: MimePart, readMessage: MessageReader): MailBody {
  const body = readPart(part, readMessage);
  return part.fault === undefined ? body : { ...body, warnings: [part.fault, ...body.warnings] };
}

function readPart(part: MimePart, readMessage: MessageReader): MailBody {
  const [first] = part.parts;
  if (part.type === 'message/rfc822' || part.type === 'message/global') {
    const message = first === undefined ? NOTHING : readMessage(first);
    return message.text === '' ? message : { ...message, text: `Attached message:\n${message.text}` };
  }
  if (part.type === 'multipart/encrypted') {
    const bytes = part.parts.reduce((sum, inner) => sum + inner.bytes.length, 0);
    return { ...NOTHING, unread: [{ kind: 'letter', name: 'an encrypted letter (PGP)', bytes, code: 'no_text' }] };
  }
  if (part.type === 'multipart/alternative') return chooseAlternative(part, readMessage);
  if (part.type.startsWith('multipart/'))
    return join(
      part.parts.map((inner) => readBody(inner, readMessage)),
      part.parts,
    );
  const attached = part.disposition === 'attachment' || (part.filename !== undefined && part.disposition !== 'inline');
  if (attached && isTextPart(part) && part.type !== 'text/calendar') return { ...NOTHING, files: [part] };
  return { ...partToText(part), files: [] };
}

/** Parts that follow each other; HTML that only says the text before it once more is left out. */
function join(bodies: readonly MailBody[], parts: readonly MimePart[]): MailBody {
  const texts: string[] = [];
  bodies.forEach(({ text }, index) => {
    const words =
      parts[index]?.type === 'text/html' || parts[index]?.type === 'text/calendar' ? wordsOf(text) : new Set<string>();
    const again = words.size >= FEW_WORDS && wordShare(words, wordsOf(texts.join('\n'))) >= SAME_PART;
    if (text !== '' && !again) texts.push(text);
  });
  return {
    text: texts.join('\n\n'),
    warnings: bodies.flatMap(({ warnings }) => warnings),
    unread: bodies.flatMap(({ unread }) => unread),
    files: bodies.flatMap(({ files }) => files),
  };
}

interface Alternative {
  readonly type: string;
  readonly body: MailBody;
  readonly words: ReadonlySet<string>;
}

/**
 * The plain one of several forms of a letter, else HTML, else another. Where it lacks many of the words of a
 * richer form ("open this mail in HTML"), that form is taken, or both where the plain one is longer. A calendar entry is
 * no form of the letter: what the letter does not say is put behind it.
 */
function chooseAlternative(part: MimePart, readMessage: MessageReader): MailBody {
  const all = part.parts.map((inner): Alternative => {
    const body = readBody(inner, readMessage);
    return { type: mainType(inner), body, words: wordsOf(body.text) };
  });
  const forms = all.filter(({ type, body }) => type !== 'text/calendar' && body.text !== '');
  const ranked = forms.toSorted((a, b) => rank(a.type) - rank(b.type));
  const [plainest] = ranked;
  const richer = ranked.find(
    (form) =>
      plainest !== undefined && rank(form.type) < RANKS.amp && wordShare(form.words, plainest.words) < SAME_LETTER,
  );
  const chosen =
    plainest === undefined
      ? []
      : richer === undefined
        ? [plainest]
        : richer.words.size > plainest.words.size
          ? [richer]
          : [plainest, richer];
  const calendars = all.filter(({ type }) => type === 'text/calendar');
  const taken = join(
    chosen.map(({ body }) => body),
    [],
  );
  const shown = wordsOf(taken.text);
  const added = calendars.flatMap(({ body }) =>
    body.text.split('\n').filter((line) => wordShare(wordsOf(line), shown) < SAME_PART),
  );
  const others = all.filter((one) => !chosen.includes(one));
  return {
    text: [taken.text, added.join('\n').trim()].filter((text) => text !== '').join('\n\n'),
    warnings: taken.warnings,
    unread: [...taken.unread, ...others.flatMap(({ body }) => unreadOf(body, shown))],
    files: all.flatMap(({ body }) => body.files),
  };
}

/** What a form that was not taken holds besides the letter: all of it where there is no letter. */
function unreadOf({ unread }: MailBody, shown: ReadonlySet<string>): readonly UnreadPart[] {
  if (shown.size === 0) return unread;
  const known = shown.size >= A_LETTER_WORDS;
  return unread.flatMap((one) => {
    if (one.kind === 'picture') return [];
    return one.kind === 'letter' && known ? [{ ...one, kind: 'attachment' as const }] : [one];
  });
}

const RANKS = { plain: 0, html: 1, other: 2, amp: 3 };

function rank(type: string): number {
  if (type === 'text/plain') return RANKS.plain;
  if (type === 'text/html') return RANKS.html;
  return type === 'text/x-amp-html' ? RANKS.amp : RANKS.other;
}

/** Of the first part inside, which is the one that is shown. */
function mainType(part: MimePart): string {
  let inner = part;
  while (inner.type.startsWith('multipart/') && inner.parts[0] !== undefined) inner = inner.parts[0];
  return inner.type;
}
