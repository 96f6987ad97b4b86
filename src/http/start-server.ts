import swagger from '@fastify/swagger';
import fastify, { type FastifyInstance } from 'fastify';
import { jsonSchemaTransform, serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { version } from '../../config/version.ts';
import type { App } from '../app.ts';
import { NightmillError } from '../errors.ts';
import type { ProcessMeter } from '../measures/process-meter.ts';
import { addAnthropicRoutes } from './anthropic/add-anthropic-routes.ts';
import { Callers } from './callers.ts';
import { CONNECTION_LIMITS, ConnectionGuard, type ConnectionLimits } from './connection-guard.ts';
import { EventHub } from './event-hub.ts';
import { addOpenAiRoutes } from './openai/add-openai-routes.ts';
import { BatchKeeper } from './openai/batch-keeper.ts';
import { problem, sendProblem } from './problem.ts';
import { addBatchRoutes } from './routes/batches.ts';
import { addClusterRoutes } from './routes/cluster.ts';
import { addEventRoutes, STREAM_LIMITS, type StreamLimits } from './routes/events.ts';
import { addEvidenceRoutes } from './routes/evidence.ts';
import { addGoldenRoutes } from './routes/golden.ts';
import { addKeyRoutes } from './routes/keys.ts';
import { addMetricsRoutes } from './routes/metrics.ts';
import { addPageRoutes, PAGE_PATHS } from './routes/page.ts';
import { addPublicRoutes } from './routes/public.ts';
import { addQueueRoutes } from './routes/queues.ts';
import { addReportRoutes } from './routes/report.ts';
import { addScheduleRoutes } from './routes/schedules.ts';
import { addUploadRoutes } from './routes/uploads.ts';

export interface ServerOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** What counts this process's work. */
  readonly meter: ProcessMeter;
  /** What clients may take of the server. Default: `SERVER_LIMITS`. */
  readonly limits?: ServerLimits;
}

export interface ServerLimits extends ConnectionLimits, StreamLimits {}

export const SERVER_LIMITS: ServerLimits = { ...CONNECTION_LIMITS, ...STREAM_LIMITS };

export interface RunningServer {
  readonly url: string;
  /** Ends open streams and answers what is in flight. */
  close(): Promise<void>;
}

/** A JSON body: a limit, a list of codes. */
const MAX_JSON_BYTES = 1024 * 1024;
const HEADERS_MS = 30_000;
const PUBLIC = new Set(['/healthz', '/readyz', '/openapi.json', '/docs', ...PAGE_PATHS]);

/**
 * Listens. On a loopback address requests need no key; on any other the server does not start before there is one.
 *
 * @throws {NightmillError} `usage`: no key, or the address cannot be had
 */
export async function startServer(
  app: App,
  { host, port, meter, limits = SERVER_LIMITS }: ServerOptions,
): Promise<RunningServer> {
  const loopback = isLoopback(host);
  if (!loopback && !(await app.apiKeys.list()).some(({ revokedAt }) => revokedAt === undefined)) {
    throw new NightmillError(
      'usage',
      `Cannot serve on ${host}: other machines can reach it, and there is no API key yet. Make one first: nightmill key create --name NAME`,
    );
  }
  const hub = new EventHub(app);
  const callers = new Callers(app, loopback);
  const keeper = new BatchKeeper(app);
  const guard = new ConnectionGuard(app.log, limits);
  const server = await buildServer(app, { callers, hub, keeper, meter, guard, limits });
  try {
    await server.listen({ host, port });
  } catch (error) {
    throw new NightmillError(
      'usage',
      `Cannot serve on ${host}:${port}: ${(error as Error).message}. Choose another --port.`,
      { cause: error },
    );
  }
  keeper.start();
  const { port: bound } = server.server.address() as { port: number };
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    async close() {
      hub.close();
      guard.close();
      server.server.closeAllConnections();
      await server.close();
      await keeper.close();
      await callers.close();
    },
  };
}

interface Parts {
  readonly callers: Callers;
  readonly hub: EventHub;
  readonly keeper: BatchKeeper;
  readonly meter: ProcessMeter;
  readonly guard: ConnectionGuard;
  readonly limits: ServerLimits;
}

async function buildServer(app: App, { callers, hub, keeper, meter, guard, limits }: Parts): Promise<FastifyInstance> {
  const server = fastify({
    bodyLimit: MAX_JSON_BYTES,
    // A long upload is no reason to end it; a silent one is.
    requestTimeout: 0,
    connectionTimeout: limits.idleMs,
    http: { headersTimeout: HEADERS_MS },
    routerOptions: { maxParamLength: 500 },
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    // An address that cannot be read reaches no route, and so no error handler.
    frameworkErrors: sendProblem(app),
  });
  server.setValidatorCompiler(validatorCompiler);
  server.setSerializerCompiler(serializerCompiler);
  server.setErrorHandler(sendProblem(app));
  server.setNotFoundHandler((request, reply) => {
    const told = problem(
      404,
      'usage',
      `There is no ${request.method} ${request.url.split('?')[0]} here. /docs lists what there is.`,
    );
    void reply
      .code(404)
      .type('application/problem+json')
      .send(Buffer.from(JSON.stringify(told)));
  });
  server.decorateRequest('caller');
  guard.watch(server);
  server.addHook('onRequest', async (request, reply) => {
    reply
      .header('x-content-type-options', 'nosniff')
      .header('referrer-policy', 'no-referrer')
      .header('cache-control', 'no-store');
    if (!PUBLIC.has(request.routeOptions.url ?? '')) request.caller = await callers.identify(request);
  });
  await server.register(swagger, {
    openapi: { openapi: '3.1.0', info: { title: 'Nightmill', version: version() } },
    transform: jsonSchemaTransform,
  });
  // Clients send an empty body with a JSON type.
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    if (body === '') return done(null, undefined);
    try {
      done(null, JSON.parse(body as string));
    } catch {
      done(Object.assign(new Error('The body is not valid JSON.'), { statusCode: 400 }));
    }
  });
  await server.register(async (routes) => await addUploadRoutes(routes, app));
  await server.register(async (routes) => await addGoldenRoutes(routes, app));
  await server.register(async (routes) => await addOpenAiRoutes(routes, app, keeper));
  await server.register(async (routes) => await addAnthropicRoutes(routes, app, keeper));
  await server.register(async (routes) => {
    addBatchRoutes(routes, app);
    addClusterRoutes(routes, app);
    addEvidenceRoutes(routes, app);
    addKeyRoutes(routes, app);
    addScheduleRoutes(routes, app);
    addEventRoutes(routes, app, { hub, callers, limits });
    addMetricsRoutes(routes, app, meter);
    addPublicRoutes(routes, app);
    addQueueRoutes(routes, app);
    addReportRoutes(routes, app);
    addPageRoutes(routes, app);
  });
  return server;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}
