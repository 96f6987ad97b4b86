import type { BatchStatus } from '../batches/batch-status.ts';
import { formatUsd } from '../money/money.ts';
import { formatDuration } from './format-status.ts';
import type { Screen } from './screen.ts';

const BAR_WIDTH = 24;
const LINE_EVERY_MS = 10_000;

/** Progress on standard error: a bar that redraws itself on a terminal, a plain line now and then elsewhere. */
export class Progress {
  readonly #screen: Screen;
  readonly #monotonic: () => number;
  #lastLineAt = Number.NEGATIVE_INFINITY;
  #lastText = '';

  constructor(screen: Screen, monotonic: () => number) {
    this.#screen = screen;
    this.#monotonic = monotonic;
  }

  show(status: BatchStatus): void {
    const text = progressText(status);
    if (this.#screen.isTerminal) {
      this.#screen.bar(text);
      return;
    }
    const now = this.#monotonic();
    if (text === this.#lastText || now - this.#lastLineAt < LINE_EVERY_MS) return;
    this.#lastLineAt = now;
    this.#lastText = text;
    this.#screen.line(text);
  }

  /** Leaves the bar as it is and goes to the next line. */
  end(): void {
    this.#screen.end();
  }
}

/** One line: the bar, how far, what it cost. */
export function progressText(status: BatchStatus): string {
  const { done, total } = status.documents;
  const share = total === 0 ? 0 : done / total;
  const bar = '█'.repeat(Math.round(share * BAR_WIDTH)).padEnd(BAR_WIDTH, '·');
  const limit = status.limit === undefined ? '' : `/${formatUsd(status.limit)}`;
  const rate = rateText(status);
  const raise = status.outlook?.raise;
  const eta = status.etaSeconds === undefined ? '' : `  ${formatDuration(status.etaSeconds)} left`;
  const stop =
    raise === undefined || status.state !== 'running'
      ? ''
      : `  limit after ${raise.documentsBefore.toLocaleString('en')} more`;
  const state = status.state === 'running' ? '' : `  ${status.state}${untilText(status)}`;
  return `${bar} ${Math.floor(share * 100)}%  ${done.toLocaleString('en')}/${total.toLocaleString('en')} documents  ${formatUsd(status.spent)}${limit}${rate}${eta}${stop}${state}`;
}

/** A pause with a known end is no reason to give up. */
function untilText({ breaker: { hold } }: BatchStatus): string {
  if (hold?.retryAt === undefined) return '';
  return ` until ${new Date(hold.retryAt).toISOString().slice(0, 19)}Z, as the ${hold.cause} asked`;
}

function rateText({ documents, etaSeconds }: BatchStatus): string {
  if (etaSeconds === undefined || etaSeconds === 0) return '';
  const perSecond = (documents.total - documents.done) / etaSeconds;
  return `  ${perSecond >= 10 ? Math.round(perSecond) : perSecond.toFixed(1)}/s`;
}
