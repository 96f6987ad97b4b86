import type { BatchStatus } from '../batches/batch-status.ts';
import { formatUsd } from '../money/money.ts';
import { formatDuration } from './format-status.ts';

const BAR_WIDTH = 24;
const LINE_EVERY_MS = 10_000;

/** Progress on standard error: a bar that redraws itself on a terminal, a plain line now and then elsewhere. */
export class Progress {
  readonly #stream: NodeJS.WriteStream;
  readonly #monotonic: () => number;
  #lastLineAt = Number.NEGATIVE_INFINITY;
  #lastText = '';
  #drawn = false;

  constructor(stream: NodeJS.WriteStream, monotonic: () => number) {
    this.#stream = stream;
    this.#monotonic = monotonic;
  }

  show(status: BatchStatus): void {
    const text = progressText(status);
    if (this.#stream.isTTY) {
      this.#stream.write(`\r\u001b[2K${text.slice(0, Math.max(20, (this.#stream.columns ?? 100) - 1))}`);
      this.#drawn = true;
      return;
    }
    const now = this.#monotonic();
    if (text === this.#lastText || now - this.#lastLineAt < LINE_EVERY_MS) return;
    this.#lastLineAt = now;
    this.#lastText = text;
    this.#stream.write(`${text}\n`);
  }

  /** Leaves the bar as it is and goes to the next line. */
  end(): void {
    if (this.#drawn) this.#stream.write('\n');
    this.#drawn = false;
  }
}

function progressText(status: BatchStatus): string {
  const { done, total } = status.documents;
  const share = total === 0 ? 0 : done / total;
  const bar = '█'.repeat(Math.round(share * BAR_WIDTH)).padEnd(BAR_WIDTH, '·');
  const limit = status.limit === undefined ? '' : `/${formatUsd(status.limit)}`;
  const rate = rateText(status);
  const eta = status.etaSeconds === undefined ? '' : `  ${formatDuration(status.etaSeconds)} left`;
  const state = status.state === 'running' ? '' : `  ${status.state}`;
  return `${bar} ${Math.floor(share * 100)}%  ${done.toLocaleString('en')}/${total.toLocaleString('en')} documents  ${formatUsd(status.spent)}${limit}${rate}${eta}${state}`;
}

function rateText({ documents, etaSeconds }: BatchStatus): string {
  if (etaSeconds === undefined || etaSeconds === 0) return '';
  const perSecond = (documents.total - documents.done) / etaSeconds;
  return `  ${perSecond >= 10 ? Math.round(perSecond) : perSecond.toFixed(1)}/s`;
}
