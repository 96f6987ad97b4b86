const MAIL_HEADER =
  /^\s*(?:>\s?)*(?:from|to|cc|bcc|subject|date|sent|reply-to|message-id|received|return-path|mime-version|content-[a-z-]+|x-[a-z-]+|in-reply-to|references|importance|attachments?):\s/i;
/** The first line of a mail names these; a sentence of prose does so rarely, and never several in a row. */
const MIN_HEADERS = 2;
const NAME = "[\\p{L}.'’-]+(?:[ ,&]+(?:and )?[\\p{L}.'’-]+){0,4}";
const GREETING = new RegExp(
  `^\\s*(?:(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|greetings)(?:,? ${NAME})?)\\s*[,.!:]?\\s*$`,
  'iu',
);
const CLOSING =
  /^\s*(?:(?:with )?(?:best|kind|kindest|warm|warmest|many)?\s*(?:regards|wishes)|yours (?:sincerely|faithfully|truly)|sincerely(?: yours)?|best|cheers|(?:many )?thanks(?: (?:a lot|again|in advance|so much))?|thank you(?: (?:again|in advance|very much))?|all the best|sent from my \p{L}+|i hope (?:this|you)[^.?!\d]{0,40}(?:finds you well|are (?:doing )?well)|hope (?:you are|you're|all is|this finds you) (?:doing )?well)\s*[,.!]?\s*$/iu;
const QUOTED_ON = /^\s*(?:>\s?)*on .{6,80} wrote:\s*$/i;
const BETWEEN = /\s+(?:[|·•»›/>]|::|–)\s+/;

/**
 * The places of lines that frame a text and say nothing of their own: mail headers, greetings, closings, "On … wrote:" and
 * rows of navigation ("Home | Docs | Contact"). Questions and lines with a figure are never among them, mail headers apart.
 */
export function frameLines(lines: readonly string[]): ReadonlySet<number> {
  const found = new Set<number>();
  for (const [i, line] of lines.entries()) {
    if (line.length > 300) continue;
    const isHeader =
      MAIL_HEADER.test(line) &&
      [lines[i - 1], lines[i + 1]].filter((other) => MAIL_HEADER.test(other ?? '')).length >= MIN_HEADERS - 1;
    if (isHeader || QUOTED_ON.test(line)) found.add(i);
    else if (!/[?\d]/.test(line) && (GREETING.test(line) || CLOSING.test(line) || isNavigation(line))) found.add(i);
  }
  return found;
}

/** At least three short names with the same mark between them, and no sentence. */
function isNavigation(line: string): boolean {
  const parts = line
    .trim()
    .replace(/^[|·•»›/>\s]+|[|·•»›/>\s]+$/g, '')
    .split(BETWEEN);
  return parts.length >= 3 && parts.every((part) => part.split(/\s+/).length <= 3 && !/[.!?:]$/.test(part));
}
