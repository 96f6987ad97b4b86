import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { NODE, programFiles } from './program.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';

export interface BilledCall {
  readonly requestHash: string;
  readonly inputTokens: number;
  readonly costNanoUsd: number;
}

/** The provider simulator as a process of its own. Disposing ends it. */
export interface SimulatorProcess extends AsyncDisposable {
  /** Base URL of its API. */
  readonly url: string;
  bill(): Promise<readonly BilledCall[]>;
  /** Ends it at once, with the calls that it has in progress; its bill stays. */
  kill(): Promise<void>;
}

/** With the models of the documented sample config, and counting tokens as a quarter of the bytes. */
export async function startSimulatorProcess(options: SimulatorOptions = {}): Promise<SimulatorProcess> {
  const folder = await makeTemporaryFolder('simulator');
  const [optionsFile, billFile] = [join(folder.path, 'options.json'), join(folder.path, 'bill.jsonl')];
  await writeFile(optionsFile, JSON.stringify({ tokenCounting: 'bytes/4', ...options }));
  await writeFile(billFile, '');
  const child = spawn(NODE, [programFiles().simulator, '--options', optionsFile, '--bill', billFile], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  return {
    kill,
    url: (JSON.parse(line) as { url: string }).url,
    bill: async () => {
      const lines = (await readFile(billFile, 'utf8')).split('\n').filter((entry) => entry !== '');
      return lines.map((entry) => JSON.parse(entry) as BilledCall);
    },
    [Symbol.asyncDispose]: async () => {
      await kill();
      await folder[Symbol.asyncDispose]();
    },
  };
}
