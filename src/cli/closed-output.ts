import type { Writable } from 'node:stream';

/** What a program that a closed pipe ended gives back in a shell: 128 + SIGPIPE. */
const CLOSED_OUTPUT_EXIT = 141;

/**
 * Ends the program without a word where nobody reads what it prints (`nightmill status | head -1`). A closed
 * standard error only loses its lines: work that is paid for continues.
 */
export function endAtClosedOutput(
  output: Writable,
  errors: Writable,
  end: (exitCode: number) => void = (exitCode) => process.exit(exitCode),
): void {
  output.on('error', (error) => {
    if (!isClosedPipe(error)) throw error;
    end(CLOSED_OUTPUT_EXIT);
  });
  errors.on('error', (error) => {
    if (!isClosedPipe(error)) throw error;
  });
}

function isClosedPipe(error: Error): boolean {
  return (error as { code?: unknown }).code === 'EPIPE';
}
