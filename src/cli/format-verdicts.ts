import type { Judged, Requirements, Verdict } from '../workflows/requirements.ts';
import { table } from './table.ts';

const MARKS: Readonly<Record<Verdict['state'], string>> = { met: 'met', unmet: 'NOT MET', unknown: 'not known' };

/** A line for each candidate and requirement: whether it is met, and by how much not. */
export function verdictLines(candidates: readonly Judged[]): readonly string[] {
  return table([
    ['candidate', 'requirement', 'wanted', '', 'found'],
    ...candidates.flatMap(({ name, verdicts }) =>
      verdicts.map(({ requirement, state, want, found, by }, index) => [
        index === 0 ? name : '',
        requirement,
        `${bound(requirement)}${want}`,
        MARKS[state],
        foundText({ state, found, by }),
      ]),
    ),
  ]);
}

/** Nothing where the mark says it all. */
function foundText({
  state,
  found,
  by,
}: Pick<Verdict, 'state' | 'found'> & { readonly by: string | undefined }): string {
  if (found === MARKS[state]) return '';
  return by === undefined ? found : `${found} (off by ${by})`;
}

function bound(requirement: keyof Requirements): string {
  if (requirement === 'data') return '';
  return requirement === 'minQuality' || requirement === 'format' || requirement === 'contextTokens' ? '>= ' : '<= ';
}
