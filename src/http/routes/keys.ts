import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { App } from '../../app.ts';
import { createKey, keyJson, readRights, revokeKey } from '../../operations/api-keys.ts';
import { readExpiry } from '../../operations/read-deadline.ts';
import { readTenant } from '../../operations/submit-values.ts';
import { allow, appFor } from '../callers.ts';

const keyBody = z.object({
  name: z.string(),
  tenant: z.string().optional(),
  rights: z.string().default('submit,read'),
  expires: z.string().optional(),
});
const nameParams = z.object({ name: z.string() });

/** API keys, as `nightmill key` has them. */
export function addKeyRoutes(server: FastifyInstance, app: App): void {
  const operate = { preHandler: allow('operate') };
  server.get('/api/v1/keys', { ...operate, schema: { summary: 'every key there is, without secrets' } }, async () => {
    const now = app.clock.now();
    return { keys: (await app.apiKeys.list()).map((key) => keyJson(key, now)) };
  });
  server.post(
    '/api/v1/keys',
    { ...operate, schema: { body: keyBody, summary: 'make a key; its secret is in this answer and nowhere else' } },
    async (request, reply) => {
      const { name, tenant, rights, expires } = request.body as z.infer<typeof keyBody>;
      const now = app.clock.now();
      const asked = {
        name,
        tenant: readTenant(tenant),
        rights: readRights(rights),
        expiresAt: readExpiry(expires, now),
      };
      const { key, secret } = await createKey(appFor(app, request), asked, randomBytes(32));
      return reply.code(201).send({ ...keyJson(key, now), secret });
    },
  );
  server.post(
    '/api/v1/keys/:name/revoke',
    { ...operate, schema: { params: nameParams, summary: 'refuse a key from now on' } },
    async (request) => {
      const { name } = request.params as z.infer<typeof nameParams>;
      await revokeKey(appFor(app, request), name);
      return { name, state: 'revoked' };
    },
  );
}
