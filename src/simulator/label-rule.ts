import { BoundedMap } from './bounded-map.ts';

/** Words of the document beyond this do not count. */
const READ_CHARACTERS = 8000;
const DESCRIPTION_CHARACTERS = 200;

/** Which labels a word speaks for, and how much. */
type Votes = ReadonlyMap<string, readonly { readonly label: number; readonly weight: number }[]>;

const rememberedVotes = new BoundedMap<string, Votes>(64);

/**
 * How well each label fits, by its index: the different words that the document shares with the label's name (two
 * points each) and with its description (one point), which is what follows the name in its line of the instructions.
 */
export function scoreLabels(labels: readonly string[], instructions: string, document: string): readonly number[] {
  const votes = votesOf(labels, instructions);
  const scores = new Array<number>(labels.length).fill(0);
  for (const stem of new Set(stemsOf(document.slice(0, READ_CHARACTERS)))) {
    for (const { label, weight } of votes.get(stem) ?? []) scores[label] = (scores[label] ?? 0) + weight;
  }
  return scores;
}

function votesOf(labels: readonly string[], instructions: string): Votes {
  const key = `${labels.join('\n')}\n\n${instructions}`;
  const known = rememberedVotes.get(key);
  if (known !== undefined) return known;
  const votes = new Map<string, { label: number; weight: number }[]>();
  for (const [label, name] of labels.entries()) {
    const nameStems = new Set(stemsOf(name));
    const stems = new Set([...nameStems, ...stemsOf(describe(name, instructions))]);
    for (const stem of stems) {
      const list = votes.get(stem) ?? [];
      list.push({ label, weight: nameStems.has(stem) ? 2 : 1 });
      votes.set(stem, list);
    }
  }
  rememberedVotes.set(key, votes);
  return votes;
}

function describe(label: string, instructions: string): string {
  const name = RegExp.escape(label);
  // A line that starts with the label (after a bullet or a quote) describes it; a mention elsewhere is second best.
  const match =
    new RegExp(`^\\W*${name}\\W(.*)$`, 'im').exec(instructions) ??
    new RegExp(`\\b${name}\\W(.*)$`, 'im').exec(instructions);
  return (match?.[1] ?? '').slice(0, DESCRIPTION_CHARACTERS);
}

/** Lower-case words of four letters or more, cut to six, so that "invoices" meets "invoice". */
function stemsOf(text: string): readonly string[] {
  return (text.toLowerCase().match(/\p{L}{4,}/gu) ?? []).map((word) => word.slice(0, 6));
}
