import type { BatchStatus } from '../batches/batch-status.ts';
import { statusLines, titleLine } from './format-status.ts';
import { progressText } from './progress.ts';

export interface FrameSize {
  readonly rows: number;
  readonly columns: number;
}

/** For a screen of unknown size. */
export const DEFAULT_SIZE: FrameSize = { rows: 24, columns: 80 };

/**
 * What `status --watch` shows at once: batches newest first, each with its bar and why it has stopped, as many as fit.
 * One batch is shown with everything that `status` says of it.
 *
 * @returns lines that fit the screen, the last row left free for the cursor
 */
export function watchFrame(statuses: readonly BatchStatus[], { rows, columns }: FrameSize): readonly string[] {
  const clip = (lines: readonly string[]) =>
    lines.map((line) => (line.length < columns ? line : `${line.slice(0, columns - 2)}…`));
  const room = Math.max(1, rows - 1);
  const [only] = statuses;
  if (statuses.length === 1 && only !== undefined) {
    const [title = '', ...rest] = statusLines(only).trimEnd().split('\n');
    return clip([title, `  ${progressText(only)}`, ...rest]).slice(0, room);
  }
  if (only === undefined) return ['No batches yet. nightmill submit INPUT -w WORKFLOW makes one.'];
  const blocks = statuses.map(blockOf);
  const lines: string[] = [];
  for (const [index, block] of blocks.entries()) {
    const isLast = index === blocks.length - 1;
    // A line is kept for how many are left out.
    if (lines.length + block.length > room - (isLast ? 0 : 1)) {
      lines.push(`… ${blocks.length - index} older ones; nightmill list has them all`);
      break;
    }
    lines.push(...block);
  }
  return clip(lines).slice(0, room);
}

function blockOf(status: BatchStatus): readonly string[] {
  const trouble = statusLines(status)
    .split('\n')
    .filter((line) => /^ {2}(paused|to resume|to finish|workers|left out) /.test(line));
  return [titleLine(status), `  ${progressText(status)}`, ...trouble];
}
