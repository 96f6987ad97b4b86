import { readdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ScheduleJson } from '../../src/operations/schedules/schedule-json.ts';
import { HttpModel } from '../helpers/http-model.ts';
import { type RedisServer, startRedisServer } from '../helpers/redis-server.ts';
import { configYaml, expectBalanced, makeDocuments, toJsonl, Workspace } from '../helpers/workspace.ts';

let model: HttpModel;
let redis: RedisServer;
beforeAll(async () => {
  [model, redis] = await Promise.all([HttpModel.start(), startRedisServer()]);
});
beforeEach(() => model.reset());
afterAll(async () => {
  await model[Symbol.asyncDispose]();
  await redis.stop();
});

const EVERY_MINUTE = 'schedule: { cron: "* * * * *", timezone: Europe/Berlin, input: inbox, after: archive }';
const documents = makeDocuments(60);
const fileOf = (night: number) => toJsonl(documents.slice(night * 20, night * 20 + 20));

async function schedules(workspace: Workspace): Promise<ScheduleJson> {
  const [schedule] = await workspace.json<readonly ScheduleJson[]>(['schedule', 'list']);
  if (schedule === undefined) throw new Error('The config has no schedule.');
  return schedule;
}

describe('nights of one minute', () => {
  it('two or three of them, with a worker that is killed in the second: every file and every document once', async () => {
    await using workspace = await Workspace.make({
      'nightmill.yaml': configYaml({ url: model.url, redis: redis.url, workflow: EVERY_MINUTE, concurrency: 4 }),
      'inbox/night-0.jsonl': fileOf(0),
    });
    const batches: string[] = [];
    /** The batch of the next slot that had files. */
    const nextBatch = async () => {
      for (;;) {
        const batch = (await schedules(workspace)).runs.find(({ outcome }) => outcome === 'submitted')?.batch;
        if (batch !== undefined && batch !== null && !batches.includes(batch)) {
          batches.push(batch);
          return batch;
        }
        // Slots are a minute apart.
        await delay(2_000);
      }
    };
    const victim = await workspace.startWorker();
    await workspace.statusWhen(await nextBatch(), ({ state }) => state === 'completed');

    model.holdAfter(6);
    await workspace.write('inbox/.night-1.jsonl.part', 'never');
    await workspace.write('inbox/night-1.jsonl', fileOf(1));
    await workspace.write('inbox/night-0-again.jsonl', fileOf(0));
    await model.until(() => model.count('waiting') === 4);
    victim.kill('SIGKILL');
    await victim.exited;
    model.release();
    // It may have died before it noted that slot, so nobody knows of the batch until another worker goes on.
    await workspace.startWorker();
    await workspace.statusWhen(await nextBatch(), ({ state }) => state === 'completed');

    await workspace.write('inbox/night-2.jsonl', fileOf(2));
    await workspace.statusWhen(await nextBatch(), ({ state }) => state === 'completed');

    const nights = 3;
    expect(batches).toHaveLength(nights);
    for (const [night, batch] of batches.entries()) {
      expect(batch).toMatch(/^triage-\d{8}T\d{4}$/);
      await workspace.run(['results', batch, '-o', `out-${night}`]);
      const ids = documents.slice(night * 20, night * 20 + 20).map(({ id }) => id);
      expectBalanced(await workspace.readOutput(`out-${night}`), ids);
    }
    const { runs, missed } = await schedules(workspace);
    expect(runs.filter(({ outcome }) => outcome === 'submitted')).toHaveLength(nights);
    expect(runs.reduce((sum, { files }) => sum + files, 0)).toBe(nights);
    expect(missed).toEqual([]);
    expect((await readdir(workspace.path('inbox'))).filter((name) => !name.startsWith('.'))).toEqual(['archive']);
  }, 400_000);
});

describe('schedule', () => {
  it('run, pause and resume do what they say, and a paused workflow stops no calendar', async () => {
    await using workspace = await Workspace.make({
      'nightmill.yaml': configYaml({
        url: model.url,
        redis: redis.url,
        workflow: 'schedule: { cron: "0 1 * * *", timezone: Asia/Tokyo, input: inbox }',
      }),
      'inbox/a.jsonl': fileOf(0),
      'inbox/bad.jsonl': 'no json\n',
    });
    await workspace.run(['pause', 'triage']);
    const run = await workspace.run(['schedule', 'run', 'triage']);
    expect(run.stdout).toMatch(/^triage {2}triage-\d{8}T\d{4}, 1 file \(1 to quarantine\/\)\n$/);
    const { last } = await schedules(workspace);
    expect(await workspace.status(last?.batch ?? '')).toMatchObject({ state: 'paused', documents: { total: 20 } });
    expect(await readdir(workspace.path('inbox/quarantine'))).toEqual(['bad.jsonl', 'bad.jsonl.reason.txt']);
    await workspace.run(['schedule', 'pause', 'triage']);
    expect((await workspace.run(['schedule', 'list'])).stdout).toMatch(
      /triage is paused since .*schedule resume triage/,
    );
    expect((await workspace.run(['schedule', 'resume', 'triage'])).stdout).toBe('triage runs again\n');
    const next = await workspace.json<readonly { slot: string; batch: string }[]>(['schedule', 'next', '-n', '3']);
    expect(next.map(({ slot }) => slot.slice(11, 16))).toEqual(['16:00', '16:00', '16:00']);
    expect(next[0]?.batch).toMatch(/^triage-\d{8}T0100$/);
    expect(await workspace.run(['schedule', 'run', 'digest'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('There is no schedule "digest"; known: triage.') as string,
    });
  });

  it('that the config cannot have is refused with what is wrong', async () => {
    await using workspace = await Workspace.make({
      'nightmill.yaml': configYaml({
        url: model.url,
        workflow: 'schedule: { cron: "0 1 * * * *", timezone: Mars/Base, input: "s3://" }',
      }),
    });
    const { code, stderr } = await workspace.run(['schedule', 'list']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/schedule\.cron: cannot use "0 1 \* \* \* \*".*five fields/);
    expect(stderr).toContain('Mars/Base');
    expect(stderr).toMatch(/schedule\.input: cannot use "s3:\/\/": write s3:\/\/bucket\/prefix/);
  });
});
