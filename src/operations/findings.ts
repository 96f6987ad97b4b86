import type { App } from '../app.ts';
import type { Check } from '../doctor/check.ts';
import { checkLessons } from '../doctor/check-lessons.ts';
import { describeQuota } from '../ledger/describe-quota.ts';
import { configHash } from '../worker/config-hash.ts';
import { powerNote, readPower } from '../worker/power/power-keeper.ts';
import { queuesOf } from '../workflows/model-workflow.ts';
import { clusterFindings } from './cluster-findings.ts';
import { foundQuotas } from './read-status.ts';
import { memoryFindings } from './recovery/checkpoints.ts';
import { readLeftovers } from './recovery/leftovers.ts';
import { scheduleFindings } from './schedules/schedule-findings.ts';
import { listSchedules } from './schedules/schedules.ts';

/** What stands in Redis about the cluster and its work so far, as lines of `doctor`. */
export async function readFindings(app: App): Promise<readonly Check[]> {
  return [
    ...(await readClusterFindings(app)),
    ...(await memoryFindings(app)),
    ...(await readLeftovers(app)),
    ...scheduleFindings(await listSchedules(app), app.clock.now()),
    ...(await readQuotaFindings(app)),
    ...(await readLessonFindings(app)),
    ...(await readPowerFindings(app)),
  ];
}

/** Whether self-hosted servers run, since when and why not. */
async function readPowerFindings({ config, memory }: App): Promise<readonly Check[]> {
  const powered = [...config.providers].filter(([, { power }]) => power !== undefined);
  return await Promise.all(
    powered.map(async ([name]): Promise<Check> => {
      const { state, since, why } = readPower(await memory.noted(powerNote(name)));
      const when = since === 0 ? '' : ` since ${new Date(since).toISOString()}`;
      const detail = `its server is ${state}${when}${why === undefined ? '' : `: ${why}`}`;
      if (state !== 'failed') return { name: `power ${name}`, state: 'ok', detail };
      return { name: `power ${name}`, state: 'failed', detail: `${detail}; look at providers.${name}.power` };
    }),
  );
}

async function readClusterFindings(app: App): Promise<readonly Check[]> {
  const open = await app.batches.listOpen();
  const workflows = [...new Set([...queuesOf(app.config), ...open.map(({ workflow }) => workflow)])];
  return clusterFindings({
    workers: await app.workers.live(),
    shared: app.config.redis !== undefined,
    open: await Promise.all(
      open.map(async (batch) => ({
        batch,
        unable: await app.batches.unable(batch.batchId),
        pendingSlices: await app.submit.jobs.pendingCount(batch.workflow),
      })),
    ),
    pauses: new Map(await Promise.all(workflows.map(async (name) => [name, await app.pauses.all(name)] as const))),
    persistence: await app.redis.persistence(),
    configHash: configHash(app.config),
  });
}

async function readQuotaFindings(app: App): Promise<readonly Check[]> {
  const quotas = await foundQuotas(app, app.config.pools.keys());
  return quotas.flatMap((quota): Check[] => {
    const detail = describeQuota(quota, app.clock.now());
    return detail === ''
      ? []
      : [{ name: `quota ${quota.pool}`, state: Object.keys(quota.overruns).length === 0 ? 'ok' : 'warning', detail }];
  });
}

async function readLessonFindings({ config, lessons }: App): Promise<readonly Check[]> {
  const models = [...config.models.values()];
  const found = [...config.providers.values()].map(async ({ name, baseUrl }) => {
    const ids = new Set(models.filter(({ provider }) => provider === name).map(({ id }) => id));
    return checkLessons(name, await lessons.read({ provider: name, baseUrl }), ids);
  });
  return (await Promise.all(found)).flat();
}
