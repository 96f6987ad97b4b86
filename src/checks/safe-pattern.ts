/** Repeats that one quantifier may allow. */
const MAX_REPEATS = 1_000;
/** Ways in which a pattern may be tried at one place of a text. */
const MAX_WAYS = 5_000;

/**
 * Why a regular expression could take long on some text, or undefined where it cannot. Texts and replies are written
 * by others, so a pattern's time has to be bounded at every place of a text whatever stands there: every repetition
 * has an upper bound, there are no look-arounds and back-references, and the product of all choices is small.
 *
 * @param pattern source of the expression, without the slashes
 */
export function patternProblem(pattern: string, flags: string): string | undefined {
  if (!/^[iu]*$/.test(flags)) return `has the flags ${JSON.stringify(flags)}; only i and u are allowed`;
  try {
    new RegExp(pattern, flags);
  } catch (error) {
    return `is not a regular expression: ${(error as Error).message}`;
  }
  try {
    const parser = new WaysParser(pattern);
    const ways = parser.alternatives();
    if (ways > MAX_WAYS) {
      return `could be tried in ${ways < 1e9 ? ways : 'more than a billion'} ways at one place of a text; ${MAX_WAYS} are allowed: use smaller bounds, or fewer repetitions`;
    }
  } catch (error) {
    if (error instanceof PatternError) return error.message;
    throw error;
  }
  return new RegExp(`^(?:${pattern})$`, flags).test('') ? 'matches an empty text' : undefined;
}

class PatternError extends Error {}

/** Counts the paths that a backtracking matcher can take from one place: an upper bound of its work there. */
class WaysParser {
  readonly #pattern: string;
  #at = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  alternatives(): number {
    let ways = this.#sequence();
    while (this.#peek() === '|') {
      this.#at++;
      ways += this.#sequence();
    }
    return ways;
  }

  #sequence(): number {
    let ways = 1;
    while (this.#at < this.#pattern.length && this.#peek() !== '|' && this.#peek() !== ')') {
      ways *= this.#quantified(this.#atom());
    }
    return ways;
  }

  /** Ways of one atom, before its quantifier. */
  #atom(): number {
    const character = this.#pattern.charAt(this.#at++);
    if (character === '\\') {
      this.#escape();
      return 1;
    }
    if (character === '[') {
      for (; this.#peek() !== ']'; this.#at++) if (this.#peek() === '\\') this.#at++;
      this.#at++;
      return 1;
    }
    if (character !== '(') return 1;
    if (this.#peek() === '?') {
      if (!this.#pattern.startsWith('?:', this.#at))
        throw new PatternError('has a look-around or a named group, which are not allowed; use (?:…)');
      this.#at += 2;
    }
    const ways = this.alternatives();
    this.#at++;
    return ways;
  }

  #escape(): void {
    const escaped = this.#pattern.charAt(this.#at++);
    if (/[1-9k]/.test(escaped)) throw new PatternError('has a back-reference, which is not allowed');
    // \p{…}, \u{…}: these braces are no quantifier.
    if (/[pPu]/.test(escaped) && this.#peek() === '{') this.#at = this.#pattern.indexOf('}', this.#at) + 1;
  }

  #quantified(ways: number): number {
    const { 0: quantifier, 1: least = '', 2: comma, 3: most = '' } = this.#match(/[*+?]|\{(\d+)(?:(,)(\d*))?\}/y) ?? [];
    if (quantifier === undefined) return ways;
    this.#match(/\?/y);
    if (quantifier === '?') return ways + 1;
    const bound = comma === undefined ? least : most;
    if (bound === '') {
      throw new PatternError(
        `has ${JSON.stringify(quantifier)}, which repeats without end: give a bound, such as ${quantifier === '*' ? '{0,64}' : `{${least || 1},64}`}`,
      );
    }
    if (Number(bound) > MAX_REPEATS) throw new PatternError(`repeats up to ${bound} times; ${MAX_REPEATS} are allowed`);
    let sum = 0;
    for (let times = Number(least); times <= Number(bound); times++) sum += ways ** times;
    return sum;
  }

  #match(expression: RegExp): RegExpExecArray | undefined {
    expression.lastIndex = this.#at;
    const found = expression.exec(this.#pattern);
    if (found === null) return undefined;
    this.#at = expression.lastIndex;
    return found;
  }

  #peek(): string {
    return this.#pattern.charAt(this.#at);
  }
}
