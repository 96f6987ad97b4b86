import { request } from 'undici';
import type { ProviderEndpoint } from '../providers/provider-endpoint.ts';
import { parseJson } from '../text/json-value.ts';
import { openAgent } from './outbound/proxy.ts';
import { keyHeader } from './provider-http/key-header.ts';

/** What a provider's free model list says about the address and the key. No tokens are used. */
export interface ProviderProbe {
  readonly status: number;
  /** It has a list of models, which may be empty. Absent: it speaks of other things. */
  readonly isList?: true;
  /** Model ids that it names; undefined where it has no list, or one of other things than can be called. */
  readonly models?: readonly string[];
  /** It has one model and answers with it whatever is asked for (llama.cpp, which lists a path). */
  readonly onlyModel?: string;
  /** Windows in tokens, of the models for which it names them (vLLM). */
  readonly windows?: ReadonlyMap<string, number>;
}

type ProbedProvider = Omit<ProviderEndpoint, 'name' | 'capabilities' | 'timeoutMs'>;

const TIMEOUT_MS = 5_000;

/** Lists come in pages of 20 (Anthropic) or 50 (Gemini) unless more is asked for; 1,000 is the most of both. */
const PAGE = { openai: {}, anthropic: { limit: '1000' }, gemini: { pageSize: '1000' } } as const;

/** @throws what undici throws where the server cannot be reached */
export async function probeProvider(provider: ProbedProvider): Promise<ProviderProbe> {
  const url = new URL(provider.baseUrl);
  const path = url.pathname.replace(/\/+$/, '');
  // Anthropic's address is understood with and without its version.
  url.pathname = `${path}${provider.kind === 'anthropic' && !path.endsWith('/v1') ? '/v1' : ''}/models`;
  for (const [name, value] of Object.entries(PAGE[provider.kind])) url.searchParams.set(name, value);
  const dispatcher = openAgent(provider.proxy, {});
  try {
    const response = await request(url, {
      dispatcher,
      headers: {
        ...(provider.kind === 'anthropic' ? { 'anthropic-version': '2023-06-01' } : {}),
        ...keyHeader(provider.kind, provider),
        ...provider.headers,
      },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await response.body.text();
    if (response.statusCode !== 200) return { status: response.statusCode };
    // Azure lists the models that could be deployed; what is called is the deployment, by a name of its own.
    return { status: 200, ...(provider.authHeader === 'api-key' ? {} : readModelList(text)) };
  } finally {
    await dispatcher.destroy();
  }
}

/** `{data: [{id}]}` of most, `[{id}]` of Together, `{models: [{name: "models/ID"}]}` of Gemini. An empty list says nothing. */
function readModelList(text: string): Omit<ProviderProbe, 'status'> {
  const list = parseJson(text);
  const { data, models } = (list ?? {}) as { data?: unknown; models?: unknown };
  const entries: unknown = Array.isArray(list) ? list : (data ?? models);
  if (!Array.isArray(entries)) return {};
  const listed = entries as ({ id?: unknown; name?: unknown; owned_by?: unknown; max_model_len?: unknown } | null)[];
  const ids = listed.flatMap((entry) => {
    const id = entry?.id ?? entry?.name;
    return typeof id === 'string' ? [id.replace(/^models\//, '')] : [];
  });
  const [first] = ids;
  if (first === undefined) return { isList: true };
  const windows = new Map(
    listed.flatMap((entry) =>
      typeof entry?.id === 'string' && isWindow(entry.max_model_len) ? [[entry.id, entry.max_model_len]] : [],
    ),
  );
  const known = windows.size === 0 ? {} : { windows };
  return ids.length === 1 && listed[0]?.owned_by === 'llamacpp'
    ? { isList: true, onlyModel: first, ...known }
    : { isList: true, models: ids, ...known };
}

/** The window of a llama.cpp server, which it says at `GET /props`; undefined: it is another server, or says none. Never throws. */
export async function probeWindow({ baseUrl }: { readonly baseUrl: string }): Promise<number | undefined> {
  try {
    const response = await request(new URL('/props', baseUrl), { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const props = parseJson(await response.body.text()) as { default_generation_settings?: { n_ctx?: unknown } } | null;
    const window = props?.default_generation_settings?.n_ctx;
    return isWindow(window) ? window : undefined;
  } catch {
    return undefined;
  }
}

function isWindow(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}
