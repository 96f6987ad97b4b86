import { afterAll, beforeEach } from 'vitest';
import { HttpModel } from '../helpers/http-model.ts';
import { startTcpRedis, type TcpRedis } from '../helpers/tcp-redis.ts';

/** A model's server and a Redis for all tests of a file; before each test the model forgets what it was told and asked. */
export async function modelAndRedis(): Promise<{ readonly model: HttpModel; readonly redis: TcpRedis }> {
  const model = await HttpModel.start();
  const redis = await startTcpRedis();
  beforeEach(() => model.reset());
  afterAll(async () => {
    await redis[Symbol.asyncDispose]();
    await model[Symbol.asyncDispose]();
  });
  return { model, redis };
}
