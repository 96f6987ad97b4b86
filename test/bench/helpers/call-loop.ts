import { readFile } from 'node:fs/promises';
import { CALLERS, type CallerTask, type ScriptClient } from './callers.ts';
import { takeTask } from './child-task.ts';
import { type BenchDocument, chatBody } from './documents.ts';

/** What one bare script does; it reads its documents and writes its prompts before the clock starts. */
export interface CallLoopTask extends CallerTask {
  readonly client: ScriptClient;
  /** JSON Lines of documents; the first `warmUp` of them are not measured. */
  readonly file: string;
  readonly warmUp: number;
}

export interface CallLoopResult {
  readonly calls: number;
  readonly cpuMs: number;
  readonly wallMs: number;
}

let call: () => Promise<readonly string[]> = async () => [];

await takeTask<CallLoopTask>(async (task) => {
  const lines = (await readFile(task.file, 'utf8')).trimEnd().split('\n');
  const all = lines.map((line) => chatBody((JSON.parse(line) as BenchDocument).text));
  const prepare = await CALLERS[task.client](task);
  const warmUp = await prepare(all.slice(0, task.warmUp));
  await warmUp();
  call = await prepare(all.slice(task.warmUp));
});
const cpu = process.cpuUsage();
const startedAt = performance.now();
const labels = await call();
const wallMs = performance.now() - startedAt;
const { user, system } = process.cpuUsage(cpu);
if (labels.some((label) => label !== 'bug')) throw new Error('A reply had another label');
const result: CallLoopResult = { calls: labels.length, cpuMs: (user + system) / 1_000, wallMs };
process.send?.(result, () => process.exit());
