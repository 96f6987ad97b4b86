import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ProviderCounts } from './instant-provider.ts';
import { cpuMsOf } from './process-cpu.ts';

const PROGRAM = fileURLToPath(new URL('instant-provider.ts', import.meta.url));

export interface InstantProvider extends AsyncDisposable {
  /** `http://127.0.0.1:PORT/v1` */
  readonly url: string;
  readonly cpuMs: () => number;
  counts(): Promise<ProviderCounts>;
}

/** A provider process of one's own. */
export async function startInstantProvider(latencyMs: number): Promise<InstantProvider> {
  const child = spawn(process.execPath, [PROGRAM, String(latencyMs)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const { url } = JSON.parse(line.toString()) as { url: string };
  return {
    url,
    cpuMs: () => cpuMsOf(child.pid),
    counts: async () => (await (await fetch(new URL('/counts', url))).json()) as ProviderCounts,
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}
