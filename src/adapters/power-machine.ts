import { spawn } from 'node:child_process';
import { request } from 'undici';
import type { PowerCommand, PowerMachine, PowerSettings } from '../providers/power.ts';

const COMMAND_TIMEOUT_MS = 10 * 60_000;
const READY_TIMEOUT_MS = 5_000;
/** Of what a command wrote last, for the message. */
const MAX_TOLD = 300;

/**
 * Runs the commands that switch servers on and off. They see PATH and HOME alone: keys of this process are none of their
 * business, and what a cloud's own tool needs stands in its files.
 */
export class CommandPowerMachine implements PowerMachine {
  readonly #environment: Readonly<Record<string, string>>;

  constructor(environment: Readonly<Record<string, string>>) {
    this.#environment = environment;
  }

  async run(command: PowerCommand): Promise<{ readonly why?: string }> {
    return await this.#run(command, COMMAND_TIMEOUT_MS);
  }

  async isReady(ready: PowerSettings['ready']): Promise<boolean> {
    if ('command' in ready) return (await this.#run(ready.command, READY_TIMEOUT_MS)).why === undefined;
    try {
      const { statusCode, body } = await request(ready.url, { signal: AbortSignal.timeout(READY_TIMEOUT_MS) });
      await body.dump();
      return statusCode >= 200 && statusCode < 300;
    } catch {
      return false;
    }
  }

  async #run(command: PowerCommand, timeout: number): Promise<{ readonly why?: string }> {
    const [program = '', ...args] = typeof command === 'string' ? ['/bin/sh', '-c', command] : command;
    return await new Promise((resolve) => {
      const child = spawn(program, args, {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: this.#environment,
        timeout,
        killSignal: 'SIGKILL',
      });
      let told = '';
      child.stderr.on('data', (chunk) => {
        told = `${told}${chunk}`.slice(-MAX_TOLD);
      });
      child.on('error', (error) => resolve({ why: (error as NodeJS.ErrnoException).code ?? error.name }));
      // Not `close`: a server that it leaves running may keep the pipe open.
      child.on('exit', (code, signal) => {
        child.stderr.destroy();
        const end = signal === null ? `exit ${code}` : `${signal} after ${timeout / 1000} s`;
        resolve(code === 0 ? {} : { why: [end, told.trim()].filter((part) => part !== '').join(': ') });
      });
    });
  }
}
