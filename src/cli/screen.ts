/** What {@link Screen} needs of standard error. */
export interface ScreenStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const MIN_COLUMNS = 20;
const DEFAULT_COLUMNS = 100;
const CLEAR_LINE = '\r\u001b[2K';

/**
 * Standard error: lines that scroll and, on a terminal, one bar below them that stays. Everything that a command says
 * beside its result goes through here, so that a line never tears the bar.
 */
export class Screen {
  readonly #stream: ScreenStream;
  #bar = '';

  constructor(stream: ScreenStream) {
    this.#stream = stream;
  }

  get isTerminal(): boolean {
    return this.#stream.isTTY === true;
  }

  /** A line without its end. */
  line(text: string): void {
    if (this.#bar === '') this.#stream.write(`${text}\n`);
    else this.#stream.write(`${CLEAR_LINE}${text}\n${this.#bar}`);
  }

  /** Draws the bar, or draws it again; for terminals only. */
  bar(text: string): void {
    this.#bar = text.slice(0, Math.max(MIN_COLUMNS, (this.#stream.columns ?? DEFAULT_COLUMNS) - 1));
    this.#stream.write(`${CLEAR_LINE}${this.#bar}`);
  }

  /** Leaves the bar as it is and goes to the next line. */
  end(): void {
    if (this.#bar !== '') this.#stream.write('\n');
    this.#bar = '';
  }
}

/** This process's standard error. */
export const screen = new Screen(process.stderr);
