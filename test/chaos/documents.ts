import { chance } from '../../src/simulator/random.ts';

/** Words that stand in every document and nowhere else, so that a search for them finds document text. */
export const CLASSIFY_MARKER = 'quixomarkclassify';
export const SUMMARIZE_MARKER = 'quixomarksummarize';

export interface ChaosDocument {
  readonly id: string;
  readonly text: string;
}

const SENTENCES = [
  'The invoice was charged twice and the refund never arrived.',
  'The page crashes with an error as soon as it is opened.',
  'Please tell me how the export of all tickets works.',
  'A payment failed although the card is valid.',
  'The button does nothing in the newest version.',
] as const;

const CODE_CHARACTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZ0123456789';

/**
 * Documents with reference codes: every text is unlike every other, so a request that is billed twice was bought
 * twice, and codes have few bytes to a token, so what a call may cost is not far from what it costs.
 */
export function makeDocuments(
  seed: number,
  batch: string,
  workflow: 'triage' | 'digest',
  count: number,
): ChaosDocument[] {
  return Array.from({ length: count }, (_, index) => {
    const id = `${batch}-${String(index).padStart(4, '0')}`;
    const sentence = SENTENCES[Math.floor(chance(seed, id, 'sentence') * SENTENCES.length)] ?? SENTENCES[0];
    const marker = workflow === 'triage' ? CLASSIFY_MARKER : SUMMARIZE_MARKER;
    const spread = chance(seed, id, 'length');
    const parts = workflow === 'triage' ? 6 + Math.floor(8 * spread) : 40 + Math.floor(50 * spread);
    const body = Array.from({ length: parts }, (_, part) => `Reference ${codes(seed, `${id} ${part}`)}.`);
    return { id, text: `${sentence} ${body.join(' ')} ${marker}.` };
  });
}

function codes(seed: number, key: string): string {
  return Array.from({ length: 6 }, (_, code) =>
    Array.from({ length: 6 }, (_, position) => {
      const at = Math.floor(chance(seed, key, `${code} ${position}`) * CODE_CHARACTERS.length);
      return CODE_CHARACTERS[at];
    }).join(''),
  ).join(' ');
}
