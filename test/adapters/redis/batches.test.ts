import { afterAll, beforeAll } from 'vitest';
import { testBatchRegistry } from '../../contract/batch-registry.ts';
import { type RedisServer, startRedisServer } from '../../helpers/redis-server.ts';
import { Cluster } from './fixture.ts';

let server: RedisServer;

beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server?.stop());

testBatchRegistry(async () => new Cluster(await server.connect()));
