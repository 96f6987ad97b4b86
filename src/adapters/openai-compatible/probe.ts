import { request } from 'undici';

/** What a provider's free model list says about the address and the key. No tokens are used. */
export interface ProviderProbe {
  readonly status: number;
  /** Model ids that it names; undefined where it has no such list. */
  readonly models?: readonly string[];
}

const TIMEOUT_MS = 5_000;

/** @throws what undici throws where the server cannot be reached */
export async function probeProvider(provider: {
  readonly baseUrl: string;
  readonly apiKey?: string;
  readonly headers: Readonly<Record<string, string>>;
}): Promise<ProviderProbe> {
  const response = await request(`${provider.baseUrl}/models`, {
    headers: {
      ...provider.headers,
      ...(provider.apiKey === undefined ? {} : { authorization: `Bearer ${provider.apiKey}` }),
    },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = await response.body.text();
  if (response.statusCode !== 200) return { status: response.statusCode };
  try {
    const { data } = JSON.parse(text) as { data?: { id?: unknown }[] };
    const models = data?.flatMap(({ id }) => (typeof id === 'string' ? [id] : []));
    return { status: 200, ...(models === undefined ? {} : { models }) };
  } catch {
    return { status: 200 };
  }
}
