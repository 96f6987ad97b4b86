import { isRecord } from '../text/json-value.ts';
import { type ChatProvider, HEALTHY, type ProviderState } from './chat-provider.ts';
import type { HttpReply } from './http-reply.ts';
import type { FaultRates } from './options.ts';
import { faultProblems, type ResolvedOptions } from './resolve-options.ts';

/** The routes outside `/v1`, for tests: no key, and alive while the provider is `down`. */
export function answerControl(
  provider: ChatProvider,
  options: ResolvedOptions,
  method: string | undefined,
  path: string,
  body: string,
): HttpReply {
  switch (`${method} ${path}`) {
    case 'GET /bill':
      return json(200, provider.bill);
    case 'GET /bill/summary':
      return json(200, provider.summary());
    case 'GET /stats':
      return json(200, stats(provider, options));
    case 'POST /faults':
      return changeFaults(provider, parse(body));
    case 'POST /state':
      return changeState(provider, parse(body));
    default:
      return problem(
        404,
        `No route ${method} ${path}: use GET /bill, GET /bill/summary, GET /stats, POST /faults, POST /state or /v1/...`,
      );
  }
}

function stats(provider: ChatProvider, options: ResolvedOptions): unknown {
  const inFlight = provider.inFlight();
  const series = provider.traffic.series();
  const models = Object.fromEntries(
    [...options.models].map(([name, { limits }]) => [
      name,
      { limits, inFlight: inFlight[name] ?? 0, perSecond: series[name] ?? [] },
    ]),
  );
  return { ...provider.traffic.totals(), models };
}

function changeFaults(provider: ChatProvider, rates: unknown): HttpReply {
  const problems = faultProblems(rates);
  if (problems.length > 0) return problem(400, problems.join('; '));
  provider.faults = rates as FaultRates;
  return json(200, provider.faults);
}

function changeState(provider: ChatProvider, state: unknown): HttpReply {
  const wrong = isRecord(state)
    ? Object.entries(state).find(([name, value]) => !(name in HEALTHY) || typeof value !== 'boolean')
    : ['body', state];
  if (wrong !== undefined) {
    return problem(
      400,
      `Cannot set ${wrong[0]} to ${JSON.stringify(wrong[1])}: use true or false for ${Object.keys(HEALTHY).join(', ')}`,
    );
  }
  provider.state = { ...HEALTHY, ...(state as Partial<ProviderState>) };
  return json(200, provider.state);
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function json(status: number, value: unknown): HttpReply {
  return { status, headers: {}, body: JSON.stringify(value) };
}

function problem(status: number, message: string): HttpReply {
  return json(status, { error: { message } });
}
