import { expect, test } from 'vitest';
import { probeProvider } from '../../src/adapters/provider-probe.ts';
import { ProviderServers } from '../helpers/provider-server.ts';

const probe = async (body: unknown, status = 200) => {
  await using servers = new ProviderServers();
  const baseUrl = `${await servers.answering(body, status)}/v1`;
  return await probeProvider({ kind: 'openai', baseUrl, headers: {} });
};

test.each([
  ['a list of models', { data: [{ id: 'a' }, { id: 'b' }] }, { isList: true, models: ['a', 'b'] }],
  [
    'windows of a vLLM server',
    { data: [{ id: 'a', max_model_len: 4096 }, { id: 'b' }] },
    { isList: true, models: ['a', 'b'], windows: new Map([['a', 4096]]) },
  ],
  ['an empty list, which says nothing', { data: [] }, { isList: true }],
  ['a page in place of a list', '<html>gateway</html>', {}],
  [
    'a llama-server with one model under its path',
    { data: [{ id: '/models/qwen3.gguf', owned_by: 'llamacpp' }] },
    { isList: true, onlyModel: '/models/qwen3.gguf' },
  ],
])('probeProvider() understands %s', async (_, body, expected) => {
  expect(await probe(body)).toEqual({ status: 200, ...expected });
});

test.each([404, 405, 501])('a gateway that answers the model list with %i is there all the same', async (status) => {
  expect(await probe({ error: { message: 'no such route' } }, status)).toEqual({ status });
});
