const WORD = /[\p{L}\p{N}]+(?:['’]\p{L}+)*/gu;

/** Lower-case words of `text`, in order: runs of letters and digits, apostrophes inside a word kept. */
export function words(text: string): readonly string[] {
  return text.toLowerCase().match(WORD) ?? [];
}

/** Whether `text` holds at least one letter or digit. */
export function hasWords(text: string): boolean {
  return /[\p{L}\p{N}]/u.test(text);
}

/** Number of space-separated pieces, which is what a person counts as words in a printed text. */
export function countWords(text: string): number {
  return text.match(/\S+/g)?.length ?? 0;
}
