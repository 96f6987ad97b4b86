import { readFileSync } from 'node:fs';

/** Linux counts processor time for user programs in hundredths of a second, on every machine. */
const MS_PER_TICK = 10;

/** Processor time of a process since its start, all threads, user and system, in milliseconds. Linux only. */
export function cpuMsOf(pid: number | undefined): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name before the last bracket may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}

/**
 * The most memory that a process has had so far, in MB (`VmHWM`). Linux only.
 *
 * @throws when it has ended
 */
export function peakMbOf(pid: number | undefined): number {
  const kilobytes = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kilobytes === undefined) throw new RangeError(`Process ${pid} has ended`);
  return Number(kilobytes) / 1_000;
}
