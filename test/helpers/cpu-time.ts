/**
 * Milliseconds of this thread's processor that `work` takes. What other processes do on a busy machine does not count, so
 * a bound on it says something about the code.
 */
export function cpuMs(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}
