import { formatUsd, type NanoUsd } from '../money/money.ts';
import { priceCall } from '../money/price.ts';
import type { Usage } from '../money/usage.ts';
import type { EndpointCapabilities } from '../providers/endpoint-capabilities.ts';
import { ModelCallError, type ModelFailureClass } from '../providers/failure.ts';
import type { ModelClient, ModelReply, ModelRequest } from '../providers/model-client.ts';
import { isRecord, parseJson } from '../text/json-value.ts';
import { quoteValue } from '../text/quote-value.ts';
import { reasoningAdvice } from '../workflows/reasoning.ts';
import type { ModelSpec } from '../workflows/workflow.ts';
import type { Check } from './check.ts';

/** What one small paid call told about an endpoint. */
export interface EndpointReport {
  readonly provider: string;
  readonly model: string;
  readonly checks: readonly Check[];
  /** What the config says, preset included. */
  readonly capabilities: EndpointCapabilities;
  /** Absent: no answer, or none with a usage. */
  readonly usage?: Usage;
  /** The provider's usage object as it came. */
  readonly rawUsage?: unknown;
  /** Absent: without a usage or a price it is not known. */
  readonly costNano?: NanoUsd;
  readonly latencyMs?: number;
  /** As they came, lower-case names. */
  readonly rateLimitHeaders: Readonly<Record<string, string>>;
}

export interface EndpointProbe {
  readonly provider: { readonly name: string; readonly baseUrl: string; readonly capabilities: EndpointCapabilities };
  readonly model: ModelSpec;
  readonly client: ModelClient;
  readonly signal: AbortSignal;
}

/** Reasoning models think before they answer, within the cap; others stop after ten tokens. */
const OUTPUT_CAP = 256;

/** No word of the prompt names the key: only a server that keeps to the schema can answer with it. */
const SCHEMA_KEY = 'verdict';
const SCHEMA = {
  type: 'object',
  properties: { [SCHEMA_KEY]: { type: 'string', enum: ['yes', 'no'] } },
  required: [SCHEMA_KEY],
  additionalProperties: false,
};

/**
 * Makes one small call, as the workflows would make it, and compares what came with what the config says:
 * what fails of the call is a line with its cure. Whether the call is booked is its client's matter.
 */
export async function probeEndpoint(probe: EndpointProbe): Promise<EndpointReport> {
  const { provider, model } = probe;
  const base = { provider: provider.name, model: model.name, capabilities: provider.capabilities };
  const outcome = await callOnce(probe);
  if (outcome.kind === 'failed') {
    const { error } = outcome;
    const { usage } = error;
    return {
      ...base,
      checks: failureChecks(error, probe),
      rateLimitHeaders: error.rateLimitHeaders,
      ...(usage === undefined ? {} : { usage, ...costOf(model, usage) }),
    };
  }
  const { reply } = outcome;
  const cost = reply.usage === undefined ? {} : costOf(model, reply.usage);
  return {
    ...base,
    checks: replyChecks(probe, reply, cost.costNano, outcome.logprobsRefused),
    rateLimitHeaders: reply.rateLimitHeaders,
    latencyMs: Math.round(reply.durationMs),
    ...(reply.usage === undefined ? {} : { usage: reply.usage }),
    ...(reply.rawUsage === undefined ? {} : { rawUsage: reply.rawUsage }),
    ...cost,
  };
}

type Outcome =
  | { readonly kind: 'answered'; readonly reply: ModelReply; readonly logprobsRefused: boolean }
  | { readonly kind: 'failed'; readonly error: ModelCallError };

/** Log-probabilities are tried wherever they may exist. A refusal of them costs nothing, so then it asks without. */
async function callOnce({ client, model, provider, signal }: EndpointProbe): Promise<Outcome> {
  const tried = model.logprobs || provider.capabilities.logprobs;
  const first = await attempt(client, requestOf(model, tried), signal);
  const onlyTried = tried && !model.logprobs;
  if (first.kind === 'answered' || !onlyTried || first.error.failure !== 'bad_request') return first;
  const second = await attempt(client, requestOf(model, false), signal);
  return second.kind === 'answered' ? { ...second, logprobsRefused: true } : second;
}

async function attempt(client: ModelClient, request: ModelRequest, signal: AbortSignal): Promise<Outcome> {
  try {
    return { kind: 'answered', reply: await client.call(request, signal), logprobsRefused: false };
  } catch (error) {
    if (error instanceof ModelCallError) return { kind: 'failed', error };
    throw error;
  }
}

/** The workflows' caps are tighter, but have the same room for thinking. */
function outputCapOf({ maxOutputTokens, reasoning }: ModelSpec): number {
  return Math.min(OUTPUT_CAP + (reasoning?.tokens ?? 0), maxOutputTokens);
}

function requestOf(model: ModelSpec, logprobs: boolean): ModelRequest {
  return {
    modelId: model.id,
    messages: [
      { role: 'system', content: 'You check facts. Answer with one JSON object and nothing else.' },
      { role: 'user', content: 'Is 2 + 2 = 4 true? Answer yes or no, as JSON.' },
    ],
    maxOutputTokens: outputCapOf(model),
    ...(model.temperature === undefined ? {} : { temperature: model.temperature }),
    responseFormat:
      model.structuredOutput === 'json_schema'
        ? { kind: 'json_schema', name: 'fact_check', schema: SCHEMA }
        : { kind: model.structuredOutput },
    logprobs,
    ...(model.reasoning?.ask === undefined ? {} : { reasoning: model.reasoning.ask }),
    ...(model.request === undefined ? {} : { extra: model.request }),
  };
}

function costOf(model: ModelSpec, usage: Usage): { costNano?: NanoUsd } {
  return model.price === undefined ? {} : { costNano: priceCall(model.price, usage) };
}

function replyChecks(
  { provider, model }: EndpointProbe,
  reply: ModelReply,
  costNano: NanoUsd | undefined,
  logprobsRefused: boolean,
): Check[] {
  const headers = Object.entries(reply.rateLimitHeaders);
  return [
    { name: 'reachable', state: 'ok', detail: provider.baseUrl },
    { name: 'authenticated', state: 'ok', detail: 'accepted' },
    answerCheck(model, reply),
    { name: 'latency', state: 'ok', detail: `${Math.round(reply.durationMs)} ms` },
    usageCheck(reply.usage),
    costCheck(model, reply.usage, costNano),
    structuredOutputCheck(provider.name, model, reply),
    logprobsCheck(provider, model, reply, logprobsRefused),
    {
      name: 'rate-limit headers',
      state: 'ok',
      detail: headers.length === 0 ? 'none' : headers.map(([name, value]) => `${name}: ${value}`).join(', '),
    },
  ];
}

function answerCheck(model: ModelSpec, reply: ModelReply): Check {
  const name = 'model answers';
  if (reply.finish === 'length') {
    const used = `${model.id} used up ${outputCapOf(model)} tokens without ending its answer`;
    const thinking = reply.usage?.reasoningTokens ?? 0;
    if (thinking === 0 && reply.text !== '') {
      return { name, state: 'warning', detail: `${used}; the output caps of the workflows are tighter` };
    }
    const cause = thinking === 0 ? 'most likely by thinking' : `${thinking} of them by thinking`;
    const detail = `${used}, ${cause}: ${reasoningAdvice(model.name, model.reasoning)}`;
    return { name, state: 'warning', detail };
  }
  if (reply.finish === 'refusal') return { name, state: 'warning', detail: `${model.id} declined a harmless question` };
  return { name, state: 'ok', detail: model.id };
}

function usageCheck(usage: Usage | undefined): Check {
  const name = 'usage';
  if (usage === undefined) {
    const detail = 'none reported: each call is booked at its estimate; a budget holds, and is used up sooner';
    return { name, state: 'warning', detail };
  }
  const { inputTokens, cachedInputTokens, outputTokens, reasoningTokens } = usage;
  const detail = `input ${inputTokens} (cached ${cachedInputTokens}), output ${outputTokens} (reasoning ${reasoningTokens})`;
  return { name, state: 'ok', detail };
}

function costCheck(model: ModelSpec, usage: Usage | undefined, costNano: NanoUsd | undefined): Check {
  const name = 'cost';
  if (costNano !== undefined) return { name, state: 'ok', detail: `this call cost ${formatUsd(costNano)}` };
  const detail =
    usage === undefined
      ? 'not known without a usage'
      : `not known: add models.${model.name}.price; without it the model is refused where a budget applies`;
  return { name, state: 'warning', detail };
}

function structuredOutputCheck(provider: string, model: ModelSpec, reply: ModelReply): Check {
  const name = 'structured output';
  const setting = `providers.${provider}.structuredOutput`;
  const kind = model.structuredOutput;
  const value = parseJson(reply.text);
  if (!isRecord(value)) {
    const weaker = kind === 'json_schema' ? `write ${setting}: json_object, or prompt` : `write ${setting}: prompt`;
    const cure = kind === 'prompt' ? 'repair turns will be frequent; another model may do better' : weaker;
    return { name, state: 'warning', detail: `the answer is no JSON object but ${quoteValue(reply.text)}: ${cure}` };
  }
  const verdict = value[SCHEMA_KEY];
  if (kind === 'json_schema' && verdict !== 'yes' && verdict !== 'no') {
    const detail = `the schema is ignored, it answered ${quoteValue(reply.text)}: write ${setting}: json_object`;
    return { name, state: 'warning', detail };
  }
  return { name, state: 'ok', detail: `${kind} is obeyed` };
}

function logprobsCheck(
  provider: EndpointProbe['provider'],
  model: ModelSpec,
  reply: ModelReply,
  refused: boolean,
): Check {
  const name = 'log-probabilities';
  const setting = `providers.${provider.name}.logprobs`;
  const present = (reply.logprobs?.length ?? 0) > 0;
  if (present) {
    const hint = model.logprobs ? '' : `: write ${setting}: true for a better confidence`;
    return { name, state: 'ok', detail: `present${hint}` };
  }
  if (model.logprobs) {
    return { name, state: 'warning', detail: `asked for and not sent: remove ${setting}` };
  }
  if (refused) return { name, state: 'ok', detail: 'refused, and not asked for by the config' };
  const detail = provider.capabilities.logprobs ? 'none, and not asked for by the config' : 'none, as its preset says';
  return { name, state: 'ok', detail };
}

const NOT_REACHED: ReadonlySet<ModelFailureClass> = new Set([
  'unreachable',
  'timeout',
  'connection_lost',
  'server_error',
]);

function failureChecks(error: ModelCallError, { provider, model }: EndpointProbe): Check[] {
  if (NOT_REACHED.has(error.failure)) return [{ name: 'reachable', state: 'failed', detail: error.message }];
  const reachable: Check = { name: 'reachable', state: 'ok', detail: provider.baseUrl };
  if (error.failure === 'authentication') {
    return [reachable, { name: 'authenticated', state: 'failed', detail: error.message }];
  }
  const cure = error.failure === 'bad_request' ? settingFor(error.message, provider, model) : undefined;
  const detail = cure === undefined ? error.message : `${error.message} Likely cure: ${cure}`;
  return [reachable, { name: 'model answers', state: 'failed', detail }];
}

/** What a model takes differs: not all can be switched off, and older ones know no levels. */
function reasoningCure({ name, reasoning }: ModelSpec): string {
  const setting = `models.${name}.reasoning`;
  const { ask } = reasoning ?? {};
  if (ask !== undefined && 'effort' in ask && ask.effort === 'none') {
    return `${setting}: minimal, or where it cannot be switched off ${setting}: low`;
  }
  const room = `{ tokens: ${reasoning?.tokens ?? 0} } to leave it to the model`;
  if (ask !== undefined && 'budget' in ask) return `${setting}: low, or ${room}`;
  return `${setting}: { budget: 1024 }, another effort, or ${room}`;
}

/** The config line that a refusal is about, read from the field that the server names. */
function settingFor(message: string, provider: EndpointProbe['provider'], model: ModelSpec): string | undefined {
  const at = `providers.${provider.name}`;
  const { maxTokensField } = provider.capabilities;
  const other = maxTokensField === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens';
  if (/\bmax_(?:completion_)?tokens\b/.test(message)) return `${at}.maxTokensField: ${other}`;
  if (/temperature/i.test(message) && model.temperature !== undefined) return `remove models.${model.name}.temperature`;
  if (/reasoning|thinking|effort/i.test(message) && model.reasoning?.ask !== undefined) return reasoningCure(model);
  if (/logprobs/i.test(message) && model.logprobs) return `remove ${at}.logprobs`;
  if (!/response_?format|json_schema|json_object|output_config|responseJsonSchema/i.test(message)) return undefined;
  if (model.structuredOutput === 'json_schema') return `${at}.structuredOutput: json_object`;
  return model.structuredOutput === 'json_object' ? `${at}.structuredOutput: prompt` : undefined;
}
