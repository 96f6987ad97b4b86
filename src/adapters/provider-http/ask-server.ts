import type { Dispatcher } from 'undici';
import { parseJson } from '../../text/json-value.ts';
import type { Endpoint } from './endpoint.ts';

const TIMEOUT_MS = 5_000;

/**
 * What a server says of itself at a path beside its API (`/props` of llama.cpp, `/api/tags` of Ollama), over the calls'
 * own connections. Undefined: no JSON.
 *
 * @throws what undici throws where it does not answer
 */
export async function askServer(pool: Dispatcher, endpoint: Endpoint, path: string): Promise<unknown> {
  const { origin, headers } = endpoint;
  const target = endpoint
    .target('')
    .path.replace(/\/v1(?=\?|$)/, '')
    .replace(/(?=\?|$)/, path);
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const response = await pool.request({ origin, path: target, method: 'GET', headers: { ...headers }, signal });
  return parseJson(await response.body.text());
}
