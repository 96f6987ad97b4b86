import type { LabelChoice } from './choose-label.ts';
import { chance } from './random.ts';

interface Candidate {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
}

export interface LogprobEntry extends Candidate {
  readonly top_logprobs: readonly Candidate[];
}

/** Fillers for `top_logprobs`: what no model would have said here. */
const UNLIKELY = [
  ' the',
  '\n',
  ' a',
  ',',
  '."',
  ' I',
  '}',
  ' and',
  '"',
  ' to',
  ' of',
  ':',
  ' in',
  ' is',
  ' it',
  '-',
  ' on',
  ' as',
  '1',
  '(',
];

/**
 * A log-probability for each token of a reply. The tokens of a label together have the probability of the model's
 * confidence in it; the first one that tells it from the second best label carries nearly all of that, and lists the
 * other's token beside it. Every other token is almost certain.
 */
export function tokenLogprobs(
  tokens: readonly string[],
  choices: readonly LabelChoice[],
  top: number,
  seed: number,
  key: string,
): readonly LogprobEntry[] {
  const decisions = findDecisions(tokens, choices);
  return tokens.map((token, index) => {
    const decision = decisions.get(index);
    const logprob =
      decision === undefined ? -0.0004 * chance(seed, key, `logprob ${index}`) : Math.log(decision.confidence);
    const others: Candidate[] = [];
    if (decision?.other !== undefined)
      others.push(candidate(decision.other, Math.log((1 - decision.confidence) * 0.9)));
    for (const filler of UNLIKELY) {
      if (others.length >= top - 1) break;
      if (filler !== token && filler !== decision?.other) others.push(candidate(filler, -9 - others.length));
    }
    const chosen = candidate(token, logprob);
    const listed = [chosen, ...others].sort((a, b) => b.logprob - a.logprob).slice(0, top);
    return { ...chosen, top_logprobs: listed };
  });
}

/** For each choice, the token at which it could have become the other label. */
function findDecisions(
  tokens: readonly string[],
  choices: readonly LabelChoice[],
): ReadonlyMap<number, { readonly confidence: number; readonly other: string | undefined }> {
  const content = tokens.join('');
  const decisions = new Map<number, { confidence: number; other: string | undefined }>();
  let from = 0;
  for (const { label, runnerUp, confidence } of choices) {
    const start = content.indexOf(JSON.stringify(label), from) + 1;
    if (start === 0) continue;
    from = start + label.length;
    let offset = 0;
    for (const [index, token] of tokens.entries()) {
      const begin = Math.max(0, offset - start);
      const end = offset + token.length - start;
      offset += token.length;
      if (end <= 0) continue;
      const other = runnerUp?.slice(begin, end);
      if (other === label.slice(begin, end) && end < label.length) continue;
      decisions.set(index, { confidence, other: other === '' ? '"' : other });
      break;
    }
  }
  return decisions;
}

function candidate(token: string, logprob: number): Candidate {
  return { token, logprob, bytes: [...Buffer.from(token)] };
}
