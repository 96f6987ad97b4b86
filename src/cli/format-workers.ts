import type { ClusterView, QueueView } from '../operations/cluster-view.ts';
import { formatDuration } from './format-status.ts';
import { table } from './table.ts';

/** Two tables for people: the workers, and what waits for them. */
export function workersText({ workers, queues }: ClusterView, now: number): string {
  const hashes = new Set(workers.map(({ configHash }) => configHash));
  const lines =
    workers.length === 0
      ? ['No worker is alive. Start one: nightmill worker']
      : table([
          ['WORKER', 'HOST', 'VERSION', 'CONFIG', 'WORKFLOWS', 'SLICES', 'HEARTBEAT'],
          ...workers.map((worker) => [
            worker.id,
            worker.host,
            worker.version,
            worker.configHash,
            worker.workflows.join(','),
            String(worker.slices.length),
            `${Math.round(worker.heartbeatAgeMs / 1000)} s ago`,
          ]),
        ]);
  if (hashes.size > 1) lines.push(`${hashes.size} different configs are at work: compare the files of these workers.`);
  for (const { id, trouble } of workers) if (trouble !== undefined) lines.push(`${id} takes no slices: ${trouble}`);
  const waiting = table([
    ['WORKFLOW', 'SLICES LEFT', 'OLDEST', 'WORKERS'],
    ...queues.map((queue) => [queue.workflow, String(queue.slices), ageOf(queue, now), workersOfQueue(queue)]),
  ]);
  return `${[...lines, '', ...(queues.length === 0 ? ['No workflows.'] : waiting)].join('\n')}\n`;
}

function ageOf({ oldestAt }: QueueView, now: number): string {
  return oldestAt === undefined ? '-' : formatDuration(Math.max(0, (now - oldestAt) / 1000));
}

function workersOfQueue({ workersAlive, slices }: QueueView): string {
  return workersAlive === 0 && slices > 0 ? 'none is alive' : String(workersAlive);
}
