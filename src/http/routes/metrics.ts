import type { FastifyInstance, FastifyRequest } from 'fastify';
import { hasRight, requireRight } from '../../access/api-key.ts';
import type { App } from '../../app.ts';
import { EXPOSITION_TYPE, formatMetrics } from '../../measures/exposition.ts';
import type { ProcessMeter } from '../../measures/process-meter.ts';
import { readClusterSamples } from '../../operations/figures/cluster-samples.ts';
import { processSamples } from '../../operations/figures/process-samples.ts';
import { workersWanted } from '../../operations/workers-wanted.ts';
import { allow } from '../callers.ts';

/** What Prometheus and an autoscaler ask for. */
export function addMetricsRoutes(server: FastifyInstance, app: App, meter: ProcessMeter): void {
  server.get(
    '/metrics',
    { preHandler: allow('metrics'), schema: { summary: 'figures of the cluster and of this process, for Prometheus' } },
    async (_request, reply) => {
      const samples = [...(await readClusterSamples(app)), ...processSamples(app, meter)];
      return reply.type(EXPOSITION_TYPE).send(formatMetrics(samples));
    },
  );
  server.get(
    '/api/v1/workers-wanted',
    { preHandler: mayCount, schema: { summary: 'how many workers would be of use now' } },
    async () => ({ workers: await workersWanted(app) }),
  );
}

/** An autoscaler's key reads figures; whoever may read batches may see this too. */
async function mayCount({ caller }: FastifyRequest): Promise<void> {
  if (!hasRight(caller, 'read')) requireRight(caller, 'metrics');
}
