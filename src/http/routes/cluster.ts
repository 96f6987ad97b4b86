import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { hasRight } from '../../access/api-key.ts';
import type { App } from '../../app.ts';
import { deliveryJson } from '../../budgets/delivery-log.ts';
import { usdJson } from '../../money/money.ts';
import { auditJson } from '../../operations/audit.ts';
import { discardPaused, listBudgets, setBudget } from '../../operations/budgets.ts';
import { clusterJson, readCluster } from '../../operations/cluster-view.ts';
import { pauseNamed, resumeNamed } from '../../operations/pauses.ts';
import { readBudget } from '../../operations/submit-values.ts';
import { LOCAL_MODEL_NAME, labelsOf, modelsOfTier } from '../../workflows/workflow.ts';
import { allow, appFor } from '../callers.ts';
import { withoutPlacesIn } from '../server-places.ts';

const scopeParams = z.object({ '*': z.string() });
const limitBody = z.object({ limitUsd: z.number().nonnegative().nullable() });
const deliveriesQuery = z.object({ limit: z.coerce.number().int().min(1).max(1_000).default(50) });

const auditQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  before: z
    .string()
    .regex(/^\d+-\d+$/)
    .optional(),
});

/** What is not of one batch. */
export function addClusterRoutes(server: FastifyInstance, app: App): void {
  addWorkflowRoutes(server, app);
  addBudgetRoutes(server, app);
  addLookRoutes(server, app);
}

const operate = { preHandler: allow('operate') };
const read = { preHandler: allow('read') };

function addWorkflowRoutes(server: FastifyInstance, app: App): void {
  server.get(
    '/api/v1/workflows',
    { ...read, schema: { summary: 'workflows, their models and pauses' } },
    async ({ caller }) => {
      const workflows = await Promise.all(
        [...app.config.workflows.values(), ...app.config.builtIns.values()].map(async ({ spec, budget, schedule }) => ({
          name: spec.name,
          task: spec.task,
          ...('labels' in spec ? { labels: labelsOf(spec) } : {}),
          models: spec.cascade.flatMap(modelsOfTier).map(({ name }) => name),
          budgetUsd: Object.fromEntries(
            Object.entries(budget).map(([period, nano]) => [period, usdJson(nano as number)]),
          ),
          schedule: schedule ?? null,
          pauses: (await app.pauses.all(spec.name)).map(({ cause, reason, since }) => ({
            cause,
            reason,
            since: new Date(since).toISOString(),
          })),
        })),
      );
      return { workflows: hasRight(caller, 'operate') ? workflows : withoutPlacesIn(workflows, app.config) };
    },
  );
  for (const [verb, act] of [
    ['pause', pauseNamed],
    ['resume', resumeNamed],
  ] as const) {
    server.post(
      `/api/v1/workflows/:name/${verb}`,
      { ...operate, schema: { params: z.object({ name: z.string() }), summary: `${verb} a workflow` } },
      async (request) => await act(appFor(app, request), (request.params as { name: string }).name),
    );
  }
}

function addBudgetRoutes(server: FastifyInstance, app: App): void {
  server.get(
    '/api/v1/budgets',
    { ...read, schema: { summary: 'limits, spent and held, by scope' } },
    async ({ caller }) => {
      const budgets = await listBudgets(app);
      const visible = hasRight(caller, 'operate')
        ? budgets
        : budgets.filter(({ scope }) => caller.tenant !== undefined && scope.name === `tenant:${caller.tenant}/day`);
      return {
        budgets: visible.map(({ scope, settled, uncertain, held, limit }) => ({
          scope: scope.name,
          period: scope.period,
          spentUsd: usdJson(settled),
          uncertainUsd: usdJson(uncertain),
          heldUsd: usdJson(held),
          limitUsd: limit === undefined ? null : usdJson(limit),
        })),
      };
    },
  );
  // A scope has a slash in it; it may come encoded or as it is.
  server.put(
    '/api/v1/budgets/*',
    { ...operate, schema: { params: scopeParams, body: limitBody, summary: 'set a limit; null takes it away' } },
    async (request) => {
      const { limitUsd } = request.body as z.infer<typeof limitBody>;
      const scope = (request.params as { '*': string })['*'];
      const change = await setBudget(appFor(app, request), scope, limitUsd === null ? undefined : readBudget(limitUsd));
      const usd = (nano: number | undefined) => (nano === undefined ? null : usdJson(nano));
      return { scope, beforeUsd: usd(change.before), limitUsd: usd(change.limit), spentUsd: usd(change.spent) };
    },
  );
  server.post(
    '/api/v1/budgets/*',
    { ...operate, schema: { params: scopeParams, summary: 'SCOPE/discard: end what this limit has paused' } },
    async (request, reply) => {
      const [, scope] = /^(.+)\/discard$/.exec((request.params as { '*': string })['*']) ?? [];
      if (scope === undefined) return reply.callNotFound();
      return { scope, cancelled: await discardPaused(appFor(app, request), scope) };
    },
  );
}

function addLookRoutes(server: FastifyInstance, app: App): void {
  server.get(
    '/api/v1/workers',
    { ...operate, schema: { summary: 'live workers, and what waits for them by workflow' } },
    async () => clusterJson(await readCluster(app)),
  );
  server.get('/api/v1/quota', { ...operate, schema: { summary: 'provider quotas and who uses them' } }, async () => ({
    pools: [...app.config.pools].map(([name, limits]) => ({
      name,
      limits,
      models: [...app.config.models.values()]
        .filter((model) => model.name !== LOCAL_MODEL_NAME && (model.pool ?? model.provider) === name)
        .map((model) => model.name),
    })),
  }));
  server.get(
    '/api/v1/audit',
    { ...operate, schema: { querystring: auditQuery, summary: 'who changed what, newest first' } },
    async (request) => {
      const { limit, before } = request.query as z.infer<typeof auditQuery>;
      const records = await app.audit.list(limit, before);
      return { entries: records.map(auditJson), next: records.length === limit ? records.at(-1)?.id : null };
    },
  );
  server.get(
    '/api/v1/webhooks',
    { ...operate, schema: { querystring: deliveriesQuery, summary: 'what webhooks were told, newest first' } },
    async (request) => {
      const { limit } = request.query as z.infer<typeof deliveriesQuery>;
      return { deliveries: (await app.deliveries.list(limit)).map(deliveryJson) };
    },
  );
}
