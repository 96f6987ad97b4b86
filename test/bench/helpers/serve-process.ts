import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { NODE, programFiles } from '../../helpers/program.ts';
import { cpuMsOf, peakMbOf } from './process-cpu.ts';

export interface RunningProcess extends AsyncDisposable {
  readonly process: ChildProcess;
  /** What its first matching line of standard error said. */
  readonly said: RegExpExecArray;
  readonly cpuMs: () => number;
}

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * Puts the program as it is packed into `folder`, for `startProgram` and `runProgram`: run from its sources, it needs
 * memory for stripping types.
 */
export function useBuiltProgram(folder: string): void {
  const { status } = spawnSync(NODE, ['scripts/build.ts'], { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error('The program cannot be built');
  for (const name of ['bin', 'dist', 'package.json'])
    cpSync(`${ROOT}${name}`, `${folder}/${name}`, { recursive: true });
  symlinkSync(`${ROOT}node_modules`, `${folder}/node_modules`);
  writeFileSync(`${folder}/ready`, '');
  process.env.NIGHTMILL_TEST_BUNDLE = folder;
}

/** The program with a command that continues, once it has said that it runs. */
export async function startProgram(folder: string, args: readonly string[], ready: RegExp): Promise<RunningProcess> {
  const child = spawn(NODE, [programFiles().program, ...args], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  const said: string[] = [];
  const found = await new Promise<RegExpExecArray>((resolve, reject) => {
    // The stream keeps flowing afterwards, so that the process never blocks on a full pipe.
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (said.length < 50) said.push(line);
      const match = ready.exec(line);
      if (match !== null) resolve(match);
    });
    child.once('exit', (code) => reject(new Error(`${args[0]} ended with ${code}:\n${said.join('\n')}`)));
  });
  return {
    process: child,
    said: found,
    cpuMs: () => cpuMsOf(child.pid),
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** A command run to its end, and the processor time that it took, in milliseconds. Linux only; one at a time. */
export async function runProgram(
  folder: string,
  args: readonly string[],
): Promise<{ readonly cpuMs: number; readonly wallMs: number }> {
  const [before, from] = [childrenCpuMs(), performance.now()];
  const child = spawn(NODE, [programFiles().program, ...args], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  const errors: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}:\n${Buffer.concat(errors)}`);
  return { cpuMs: childrenCpuMs() - before, wallMs: performance.now() - from };
}

/** Of all children that have ended, in milliseconds. */
function childrenCpuMs(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

/** Resident memory in MB: its most since the start, as the kernel kept it. */
export function peakMb({ process }: RunningProcess): number {
  return Math.round(peakMbOf(process.pid));
}

/** Of all files in it, also in folders of its own. */
export function folderBytes(folder: string): number {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
  } catch {
    // It is not there, or a file has gone between two looks.
    return 0;
  }
}
