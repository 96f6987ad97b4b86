import { type ChildProcess, spawn } from 'node:child_process';
import { runHosted } from './hosted-commands.ts';
import { NODE, programFiles } from './program.ts';

/**
 * What the launcher starts the program over with, for what continues for long (bin/nightmill.js; packaging/launch.test.ts
 * holds it). A process that has it already starts once.
 */
export const STARTED_OVER = {
  node: [
    '--max-semi-space-size=18',
    '--min-semi-space-size=18',
    '--no-parallel-scavenge',
    '--external-memory-accounted-in-global-limit',
  ],
  env: { MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '65536', MALLOC_TRIM_THRESHOLD_: '65536' },
};

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Arguments of Node itself. */
  readonly node?: readonly string[];
  /** Another build of the program. */
  readonly program?: string;
  /** What standard input holds; absent: nothing. */
  readonly stdin?: string | Uint8Array;
  /** For what is about the process itself: its end, its memory, its signals. Default: false. */
  readonly ownProcess?: boolean;
}

/** A command as a real process. Disposing kills it. */
export class Cli implements AsyncDisposable {
  readonly exited: Promise<Finished>;
  readonly #child: ChildProcess;
  readonly #listeners = new Set<() => void>();
  #stdout = '';
  #stderr = '';
  #ended = false;

  constructor(
    folder: string,
    args: readonly string[],
    { env = {}, stdin, node = [], program = programFiles().program }: CliOptions = {},
  ) {
    this.#child = spawn(NODE, [...STARTED_OVER.node, ...node, program, ...args], {
      cwd: folder,
      env: { ...STARTED_OVER.env, ...environment(folder), ...env },
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      this.#changed();
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      this.#changed();
    });
    // A command that ends early does not read its input to the end.
    this.#child.stdin?.on('error', () => {});
    this.#child.stdin?.end(stdin);
    this.exited = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code, signal) => {
        this.#ended = true;
        this.#changed();
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits until standard error has a match. */
  async prints(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.#stderr)) {
      if (this.#ended) throw new Error(`Ended without printing ${pattern}:\n${this.#stdout}\n${this.#stderr}`);
      await new Promise<void>((resolve) => this.#listeners.add(resolve));
    }
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }
}

/**
 * Runs a command to its end: in the process that the commands of a test file share, or in one of its own where the
 * command needs standard input, another build or arguments of Node, or where the shared one is busy.
 */
export async function runCli(folder: string, args: readonly string[], options: CliOptions = {}): Promise<Finished> {
  const { env = {}, ownProcess, stdin, node, program } = options;
  const isAlone = ownProcess === true || stdin !== undefined || node !== undefined || program !== undefined;
  // Benchmarks and the chaos test measure and kill processes, so theirs are real ones.
  if (process.env.VITEST !== undefined && !isAlone) {
    const finished = await runHosted({ folder, args, env: { ...environment(folder), ...env } });
    if (finished !== undefined) return { ...finished, signal: null };
  }
  return await new Cli(folder, args, options).exited;
}

function environment(home: string): Readonly<Record<string, string | undefined>> {
  return { PATH: process.env.PATH, HOME: home, TMPDIR: process.env.TMPDIR };
}
