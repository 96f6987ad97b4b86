import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const children = new Set<ChildProcess>();

/** Whoever interrupts a benchmark leaves nothing behind. */
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/**
 * Starts a script of this folder with a task as its first message.
 *
 * @returns when the script has said that it is ready to go
 */
export async function startTask(script: string, task: object): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL(script, import.meta.url)));
  children.add(child);
  child.once('exit', () => children.delete(child));
  await nextMessage(child);
  child.send(task);
  await nextMessage(child);
  return child;
}

/** @throws when the child ends instead of saying something */
export async function nextMessage<T>(child: ChildProcess): Promise<T> {
  const answered = new AbortController();
  const died = once(child, 'exit', { signal: answered.signal }).then(([code]) => {
    throw new Error(`A client of the benchmark ended with code ${code}`);
  });
  died.catch(() => {});
  try {
    const [message] = await Promise.race([once(child, 'message'), died]);
    return message as T;
  } finally {
    answered.abort();
  }
}

/** The other side: takes the task, and resolves again at the word to go. */
export async function takeTask<T>(prepare: (task: T) => Promise<void> | void): Promise<T> {
  process.once('disconnect', () => process.exit());
  const given = once(process, 'message');
  process.send?.('listening');
  const task = (await given)[0] as T;
  await prepare(task);
  const go = once(process, 'message');
  process.send?.('ready');
  await go;
  return task;
}
