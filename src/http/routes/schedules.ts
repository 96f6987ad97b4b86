import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { hasRight } from '../../access/api-key.ts';
import type { App } from '../../app.ts';
import { scheduleJson, slotJson } from '../../operations/schedules/schedule-json.ts';
import { listSchedules, pauseSchedule, resumeSchedule, runScheduleNow } from '../../operations/schedules/schedules.ts';
import { allow, appFor } from '../callers.ts';
import { withoutPlacesIn } from '../server-places.ts';

const params = z.object({ name: z.string() });
const nextQuery = z.object({ next: z.coerce.number().int().min(1).max(1000).default(1) });

export function addScheduleRoutes(server: FastifyInstance, app: App): void {
  server.get(
    '/api/v1/schedules',
    {
      preHandler: allow('read'),
      schema: { querystring: nextQuery, summary: 'schedules: last and next slots, what was missed and why' },
    },
    async (request) => {
      const { next } = request.query as z.infer<typeof nextQuery>;
      const schedules = (await listSchedules(app, next)).map(scheduleJson);
      return { schedules: hasRight(request.caller, 'operate') ? schedules : withoutPlacesIn(schedules, app.config) };
    },
  );
  const acts = {
    run: async (caller: App, name: string) => ({ name, ...slotJson(await runScheduleNow(caller, name)) }),
    pause: async (caller: App, name: string) => ({ name, state: 'paused', changed: await pauseSchedule(caller, name) }),
    resume: async (caller: App, name: string) => ({ name, state: 'on', changed: await resumeSchedule(caller, name) }),
  };
  for (const [verb, act] of Object.entries(acts)) {
    server.post(
      `/api/v1/schedules/:name/${verb}`,
      { preHandler: allow('operate'), schema: { params, summary: `${verb} a schedule` } },
      async (request) => await act(appFor(app, request), (request.params as z.infer<typeof params>).name),
    );
  }
}
