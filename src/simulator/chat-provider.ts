import { priceCall } from '../money/price.ts';
import { REPAIR_OPENING } from '../prompts/repair-opening.ts';
import { Bill, type BillLine, type BillSummary } from './bill.ts';
import { type ChatRequest, parseChatRequest } from './chat-request.ts';
import { FaultSource } from './fault-source.ts';
import { blipReply, errorReply, type HttpReply, rateLimitedReply } from './http-reply.ts';
import { drawLatencyMs, SlotLine } from './latency.ts';
import { makeReply, SPOILED_BODY } from './make-reply.ts';
import { ModelLimiter } from './model-limiter.ts';
import type { FaultName, FaultRates } from './options.ts';
import { outputLimit } from './output-limit.ts';
import { PromptCache } from './prompt-cache.ts';
import { ProviderError } from './provider-error.ts';
import { chance } from './random.ts';
import type { ResolvedModel, ResolvedOptions } from './resolve-options.ts';
import type { TokenCounter } from './token-counter.ts';
import { Traffic } from './traffic.ts';

/** Outages that a test switches on and off. */
export interface ProviderState {
  /** Connections are closed without a word. */
  readonly down: boolean;
  /** 429 `insufficient_quota`. */
  readonly outOfCredit: boolean;
  /** 401, whatever the key. */
  readonly unauthorized: boolean;
}

export const HEALTHY: ProviderState = { down: false, outOfCredit: false, unauthorized: false };

/** How an exchange ends. After `hang` call `leave` when the client has gone. */
export type Ending =
  | ({ readonly kind: 'reply' } & HttpReply)
  | { readonly kind: 'reset' }
  | { readonly kind: 'hang'; leave(): void };

/** A call in progress: wait `delayMs`, then `end` it, even if nobody listens any more (a provider bills those too). */
export interface PendingCall {
  readonly delayMs: number;
  /** Its headers leave earlier, after so many ms of the delay. Absent: with the body. */
  readonly head?: { readonly afterMs: number; readonly headers: Readonly<Record<string, string>> };
  /** It waits here before its delay begins. Absent: it does not wait. */
  readonly line?: SlotLine;
  end(clientGone: boolean): Ending;
  /** Its client has gone before its turn: it is not worked on, and not billed. */
  drop?(): void;
}

interface AdmittedCall {
  readonly request: ChatRequest;
  readonly model: ResolvedModel;
  readonly limiter: ModelLimiter;
  readonly fault: FaultName | undefined;
  readonly requestId: string;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly maxOutputTokens: number;
}

/** Faults whose calls have no reply of their own whose headers could leave early. */
const NO_REPLY: ReadonlySet<FaultName | undefined> = new Set(['hang', 'resetBeforeBilling', 'serverError', 'blip']);
const SLOW_FACTOR = 20;
const FAULT_RETRY_MS = 100;
/** Of a prompt that the server cuts without a word, so much is read. */
const CUT_PROMPT_DIVISOR = 8;
const TOKENS_PER_MESSAGE = 3;
/** The beginning of the reply, which the provider writes itself. */
const TOKENS_PER_REPLY = 3;

/** The provider without its HTTP: checks, limits, faults, answers and the bill. */
export class ChatProvider {
  readonly #options: ResolvedOptions;
  readonly #counter: TokenCounter;
  readonly #truth: ReadonlyMap<string, string>;
  readonly #bill: Bill;
  readonly #traffic = new Traffic();
  readonly #limiters: ReadonlyMap<string, ModelLimiter>;
  readonly #lines: ReadonlyMap<string, SlotLine>;
  readonly #promptCache = new PromptCache();
  readonly #faults: FaultSource;
  /** Calls billed so far, by model. */
  readonly #billed = new Map<string, number>();
  state: ProviderState = HEALTHY;

  /** @param truth right labels by document text */
  constructor(options: ResolvedOptions, counter: TokenCounter, truth: ReadonlyMap<string, string>) {
    this.#options = options;
    this.#counter = counter;
    this.#truth = truth;
    this.#bill = new Bill(options.billFile);
    this.#faults = new FaultSource(options.seed, options.faults);
    this.#limiters = new Map(
      [...options.models].map(([name, model]) => [name, new ModelLimiter(model.limits, model.manners)]),
    );
    this.#lines = new Map(
      [...options.models].flatMap(([name, { slots }]) => (slots === undefined ? [] : [[name, new SlotLine(slots)]])),
    );
  }

  get bill(): readonly BillLine[] {
    return this.#bill.lines;
  }

  get traffic(): Traffic {
    return this.#traffic;
  }

  get faults(): FaultRates {
    return this.#faults.rates;
  }

  set faults(rates: FaultRates) {
    this.#faults.rates = rates;
  }

  totals(): BillSummary & ReturnType<Traffic['totals']> {
    return { ...this.#bill.summary(), ...this.#traffic.totals() };
  }

  summary(): BillSummary {
    return this.#bill.summary();
  }

  /** Calls in progress, by model. */
  inFlight(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#limiters].map(([name, limiter]) => [name, limiter.inFlight]));
  }

  /** The reply to `GET /v1/models`. */
  listModels(authorization: string | undefined): HttpReply {
    return orErrorReply(() => {
      this.#authorize(authorization);
      const created = Date.UTC(2026, 0, 1) / 1000;
      const data = [...this.#options.models.keys()].map((id) => ({
        id,
        object: 'model',
        created,
        owned_by: 'simulator',
      }));
      return { status: 200, headers: {}, body: JSON.stringify({ object: 'list', data }) };
    });
  }

  /** Takes a request to `POST /v1/chat/completions`. */
  begin(authorization: string | undefined, body: string): PendingCall {
    this.#traffic.countRequest();
    const started = orErrorReply(() => {
      this.#authorize(authorization);
      return this.#begin(parseChatRequest(body));
    });
    return 'status' in started ? endedCall({ kind: 'reply', ...started }) : started;
  }

  close(): void {
    this.#bill.close();
  }

  /** @throws {ProviderError} 401 */
  #authorize(authorization: string | undefined): void {
    const key = authorization?.replace(/^Bearer /i, '');
    const wanted = this.#options.apiKey;
    if (!this.state.unauthorized && (wanted === undefined || key === wanted)) return;
    if (key === undefined) {
      throw new ProviderError(
        401,
        "You didn't provide an API key. Send it in an Authorization header, as a Bearer token.",
      );
    }
    throw new ProviderError(401, 'Incorrect API key provided.', { code: 'invalid_api_key' });
  }

  /** @throws {ProviderError} what the provider answers at once */
  #begin(request: ChatRequest): PendingCall {
    if (this.state.outOfCredit) {
      throw new ProviderError(429, 'You exceeded your current quota, please check your plan and billing details.', {
        type: 'insufficient_quota',
        code: 'insufficient_quota',
      });
    }
    const model = this.#options.models.get(request.model);
    const limiter = this.#limiters.get(request.model);
    if (model === undefined || limiter === undefined) {
      throw new ProviderError(404, `The model \`${request.model}\` does not exist or you do not have access to it.`, {
        code: 'model_not_found',
        param: 'model',
      });
    }
    const messageTokens = request.messages.map(({ content }) => this.#counter.count(content) + TOKENS_PER_MESSAGE);
    const schemaTokens =
      request.format.kind === 'schema' ? this.#counter.count(JSON.stringify(request.format.schema)) : 0;
    const inputTokens = messageTokens.reduce((sum, tokens) => sum + tokens, TOKENS_PER_REPLY + schemaTokens);
    const maxOutputTokens = outputLimit(request, model, inputTokens);
    const { fault, attempt } = this.#faults.draw(request);
    if (fault === 'rateLimited') {
      this.#tried(request, fault);
      return endedCall({
        kind: 'reply',
        ...rateLimitedReply(
          model.name,
          'requests',
          FAULT_RETRY_MS,
          limiter.headers(performance.now()),
          model.manners.waits,
        ),
      });
    }
    const admission = limiter.admit({ inputTokens, maxOutputTokens }, performance.now());
    if (!admission.admitted) {
      this.#traffic.countRefusal(model.name, admission.dimension, Date.now());
      const headers = limiter.headers(performance.now());
      return endedCall({
        kind: 'reply',
        ...rateLimitedReply(model.name, admission.dimension, admission.retryAfterMs, headers, model.manners.waits),
      });
    }
    this.#tried(request, fault);
    this.#traffic.record(model.name, { admitted: 1, inputTokens }, Date.now());
    const cachedInputTokens = this.#options.promptCache
      ? this.#promptCache.use(model.name, request.messages, messageTokens, performance.now())
      : 0;
    const requestId = `${request.hash.slice(0, 24)}-${attempt}`;
    const read = fault === 'promptCut' ? Math.ceil(inputTokens / CUT_PROMPT_DIVISOR) : inputTokens;
    const call = {
      request,
      model,
      limiter,
      fault,
      requestId,
      inputTokens: read,
      cachedInputTokens: Math.min(cachedInputTokens, read),
      maxOutputTokens,
    };
    const latencyMs = drawLatencyMs(model.latency, this.#options.seed, requestId);
    const line = this.#lines.get(model.name);
    const { firstByteMs } = model.latency;
    return {
      ...(firstByteMs === undefined || NO_REPLY.has(fault)
        ? {}
        : { head: { afterMs: firstByteMs, headers: this.#headers(call) } }),
      ...(line === undefined ? {} : { line, drop: () => limiter.finish(maxOutputTokens, performance.now()) }),
      delayMs: fault === 'hang' ? 0 : latencyMs * (fault === 'slow' ? SLOW_FACTOR : 1),
      end: (clientGone) => this.#end(call, clientGone),
    };
  }

  #tried(request: ChatRequest, fault: FaultName | undefined): void {
    this.#faults.tried(request);
    if (fault !== undefined) this.#traffic.countFault(fault);
  }

  #end(call: AdmittedCall, clientGone: boolean): Ending {
    const { limiter, fault, maxOutputTokens } = call;
    const finish = (outputTokens: number): void => limiter.finish(maxOutputTokens - outputTokens, performance.now());
    if (fault === 'hang' && !this.#options.hangBills) return { kind: 'hang', leave: () => finish(0) };
    if (fault === 'resetBeforeBilling' || fault === 'serverError' || fault === 'blip') {
      finish(0);
      if (fault === 'resetBeforeBilling') return { kind: 'reset' };
      return fault === 'serverError'
        ? this.#serverError(call)
        : { kind: 'reply', ...blipReply(this.#chance(call, fault)) };
    }
    const beyond = call.model.thinksBeyondCap;
    const billedBefore = this.#billed.get(call.model.name) ?? 0;
    this.#billed.set(call.model.name, billedBefore + 1);
    const thinkingTokens = beyond !== undefined && billedBefore >= (beyond.afterCalls ?? 0) ? beyond.tokens : 0;
    const reply = makeReply(
      { ...call, thinkingTokens },
      {
        name: call.model.name,
        accuracy: call.model.accuracy,
        seed: this.#options.seed,
        truth: this.#truth,
        counter: this.#counter,
      },
    );
    const billed = clientGone ? 'clientGone' : fault;
    const usage = {
      inputTokens: call.inputTokens,
      cachedInputTokens: call.cachedInputTokens,
      outputTokens: reply.outputTokens,
    };
    this.#bill.add({
      at: new Date().toISOString(),
      model: call.model.name,
      requestHash: call.request.hash,
      requestId: call.requestId,
      ...usage,
      costNanoUsd: priceCall(call.model.price, { ...usage, reasoningTokens: thinkingTokens }),
      ...(call.request.messages.some(({ content }) => content.includes(REPAIR_OPENING)) ? { repair: true } : {}),
      ...(billed === undefined ? {} : { fault: billed }),
    });
    this.#traffic.record(call.model.name, { outputTokens: reply.outputTokens }, Date.now());
    if (fault === 'hang') return { kind: 'hang', leave: () => finish(reply.outputTokens) };
    finish(reply.outputTokens);
    if (fault === 'resetAfterBilling') return { kind: 'reset' };
    return {
      kind: 'reply',
      status: 200,
      headers: this.#headers(call),
      body: fault === 'garbage' ? SPOILED_BODY : reply.body,
    };
  }

  #serverError(call: AdmittedCall): Ending {
    const overloaded = this.#chance(call, 'overloaded') < 0.5;
    const error = overloaded
      ? new ProviderError(503, 'The engine is currently overloaded, please try again later.', {
          type: 'server_error',
          code: 'overloaded',
        })
      : new ProviderError(500, 'The server had an error while processing your request.', { type: 'server_error' });
    return { kind: 'reply', ...errorReply(error, this.#headers(call)) };
  }

  #chance({ requestId }: AdmittedCall, purpose: string): number {
    return chance(this.#options.seed, requestId, purpose);
  }

  #headers(call: AdmittedCall): Readonly<Record<string, string>> {
    return { 'x-request-id': call.requestId, ...call.limiter.headers(performance.now()) };
  }
}

function orErrorReply<T>(work: () => T): T | HttpReply {
  try {
    return work();
  } catch (error) {
    if (error instanceof ProviderError) return errorReply(error);
    throw error;
  }
}

function endedCall(ending: Ending): PendingCall {
  return { delayMs: 0, end: () => ending };
}
