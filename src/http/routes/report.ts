import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { hasRight, maySee } from '../../access/api-key.ts';
import type { App } from '../../app.ts';
import { readReport, readReportDays } from '../../operations/figures/read-report.ts';
import { REPORT_GROUPS } from '../../reports/report.ts';
import { reportHtml } from '../../reports/report-html.ts';
import { reportJson } from '../../reports/report-json.ts';
import { allow } from '../callers.ts';

const reportQuery = z.object({
  days: z.string().default('7'),
  by: z.enum(REPORT_GROUPS).default('workflow'),
  format: z.enum(['json', 'html']).default('json'),
});

export function addReportRoutes(server: FastifyInstance, app: App): void {
  server.get(
    '/api/v1/report',
    { preHandler: allow('read'), schema: { querystring: reportQuery, summary: 'what the last days cost and did' } },
    async (request, reply) => {
      const { days, by, format } = request.query as z.infer<typeof reportQuery>;
      const { caller } = request;
      const report = await readReport(app, {
        days: readReportDays(days),
        by,
        ...(hasRight(caller, 'operate') ? {} : { visible: ({ tenant }) => maySee(caller, tenant) }),
      });
      if (format === 'html') return reply.type('text/html; charset=utf-8').send(reportHtml(report));
      return reportJson(report);
    },
  );
}
