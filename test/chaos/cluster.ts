import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { spawnWorker, workerLog } from './processes.ts';
import type { WorkerAction } from './scenario.ts';

interface Member {
  readonly number: number;
  readonly process: ChildProcess;
  readonly ended: Promise<unknown>;
  state: 'running' | 'stopped' | 'leaving';
  /** Known to have begun its work. */
  started: boolean;
}

const END_WITHIN_MS = 30_000;
const SPAWN_AGAIN_MS = 300;

export interface ClusterOptions {
  /** What a worker may say that ends before it has begun, because something was away; another one is started soon. */
  readonly mayFindNothing: RegExp;
  /** Arguments of Node that give a worker a false clock. Default: all are right. */
  readonly clocks?: ((number: number) => readonly string[]) | undefined;
}

/** The workers of one scenario, and what is done to them. */
export class Cluster {
  readonly #folder: string;
  readonly #config: string;
  readonly #members = new Set<Member>();
  readonly #resuming = new Set<Promise<void>>();
  readonly #problems: string[];
  readonly #mayFindNothing: RegExp;
  readonly #clocks: (number: number) => readonly string[];
  #started = 0;
  #isEnding = false;
  readonly done = { kill: 0, stop: 0, end: 0 };

  /** @param problems a worker that ends by itself or badly is added here */
  constructor(
    folder: string,
    config: string,
    problems: string[],
    { mayFindNothing, clocks = () => [] }: ClusterOptions,
  ) {
    this.#mayFindNothing = mayFindNothing;
    this.#clocks = clocks;
    this.#folder = folder;
    this.#config = config;
    this.#problems = problems;
  }

  start(count: number): void {
    for (let index = 0; index < count; index += 1) this.#spawn();
  }

  #spawn(): void {
    const number = ++this.#started;
    const process = spawnWorker(this.#folder, this.#config, number, this.#clocks(number));
    const member: Member = {
      number: this.#started,
      process,
      ended: once(process, 'exit'),
      state: 'running',
      started: false,
    };
    this.#members.add(member);
    process.once('exit', (code, signal) => {
      this.#members.delete(member);
      const expected =
        member.state === 'leaving' &&
        (code === 0 || signal === 'SIGKILL' || (signal === 'SIGTERM' && !this.#hadStarted(member)));
      if (code === 1 && this.#foundNothing(member)) this.#spawnSoon(member);
      else if (!expected)
        this.#problems.push(`worker ${member.number} ended with ${code ?? signal} (worker-${member.number}.log)`);
    });
  }

  /** A worker that is still loading has no work and no signal handler: SIGTERM ends it as it would any process. */
  #hadStarted(member: Member): boolean {
    member.started ||= readFileSync(workerLog(this.#folder, member.number), 'utf8').includes('worker:started');
    return member.started;
  }

  #foundNothing(member: Member): boolean {
    return (
      !this.#hadStarted(member) &&
      this.#mayFindNothing.test(readFileSync(workerLog(this.#folder, member.number), 'utf8'))
    );
  }

  #spawnSoon({ state }: Member): void {
    if (state === 'running') setTimeout(() => !this.#isEnding && this.#spawn(), SPAWN_AGAIN_MS);
  }

  act(action: WorkerAction): void {
    const running = [...this.#members].filter(({ state }) => state === 'running');
    // Those that work come first: the death of one that is still loading proves little.
    const working = running.filter((member) => this.#hadStarted(member));
    const candidates = working.length > 0 ? working : running;
    const victim = candidates[Math.floor(action.victim * candidates.length)];
    if (victim === undefined) return;
    this.done[action.kind] += 1;
    if (action.kind === 'kill') this.#kill(victim);
    if (action.kind === 'end') {
      victim.state = 'leaving';
      victim.process.kill('SIGTERM');
      this.#spawn();
    }
    if (action.kind === 'stop') this.#stop(victim, action.stoppedMs);
  }

  /** Every worker dies at once; as many start again. */
  powerCut(): void {
    const victims = [...this.#members].filter(({ state }) => state === 'running');
    for (const victim of victims) this.#kill(victim);
    this.done.kill += victims.length;
  }

  #kill(victim: Member): void {
    victim.state = 'leaving';
    victim.process.kill('SIGKILL');
    this.#spawn();
  }

  #stop(victim: Member, milliseconds: number): void {
    victim.state = 'stopped';
    victim.process.kill('SIGSTOP');
    const resumed = delay(milliseconds).then(() => {
      victim.process.kill('SIGCONT');
      victim.state = 'running';
      this.#resuming.delete(resumed);
    });
    this.#resuming.add(resumed);
  }

  /** Resolves when no worker is stopped any more. */
  async allResumed(): Promise<void> {
    await Promise.all(this.#resuming);
  }

  /** Ends all workers in order; one that does not end in time is a problem. */
  async end(): Promise<void> {
    await this.allResumed();
    this.#isEnding = true;
    await Promise.all(
      [...this.#members].map(async (member) => {
        if (member.state === 'running') member.process.kill('SIGTERM');
        member.state = 'leaving';
        const timer = setTimeout(() => {
          this.#problems.push(`worker ${member.number} did not end within ${END_WITHIN_MS / 1000} s of SIGTERM`);
          member.process.kill('SIGKILL');
        }, END_WITHIN_MS);
        await member.ended;
        clearTimeout(timer);
      }),
    );
  }

  /** For the way out after an error. */
  killAll(): void {
    this.#isEnding = true;
    for (const member of this.#members) {
      member.state = 'leaving';
      member.process.kill('SIGKILL');
    }
  }
}
