import { playRow, QUOTA_ROWS } from '../../adapters/redis/quota-rows.ts';
import { startRedisServer } from '../../helpers/redis-server.ts';
import { printTable } from './table.ts';

/**
 * How much of 1,500 requests per minute is used, by what the provider tells of its limit: the real scripts in a real Redis, in
 * virtual time, so that three minutes take seconds and a busy machine changes nothing.
 */
export async function printUnstatedQuota(workers: readonly number[]): Promise<void> {
  const server = await startRedisServer();
  try {
    const rows: (readonly string[])[] = [
      ['what the provider tells', ...workers.flatMap((count) => [`${count} used %`, `${count} refused %`])],
    ];
    for (const row of QUOTA_ROWS) {
      const cells = [row.name];
      for (const count of workers) {
        const { used, refused } = await playRow(await server.connect(), row, count);
        cells.push((used * 100).toFixed(1), (refused * 100).toFixed(2));
      }
      rows.push(cells);
    }
    printTable({
      caption: `1,500 requests per minute that the config does not state (but in the first row), from the second minute on, with ${workers.join(', ')}
workers; the real scripts in virtual time`,
      rows,
    });
  } finally {
    await server.stop();
  }
}
