import type { NanoUsd } from '../money/money.ts';
import { priceCall } from '../money/price.ts';
import { NO_USAGE } from '../money/usage.ts';
import type { ModelCallError } from '../providers/failure.ts';
import type { ModelReply } from '../providers/model-client.ts';
import type { Booked } from './book-reply.ts';
import type { Call, Route } from './call.ts';
import type { CallModelContext } from './call-context.ts';

/** Tells the meter of a call that was answered. */
export function measureReply(
  { meter }: CallModelContext,
  call: Call,
  route: Route,
  reply: ModelReply,
  booked: Booked,
): void {
  meter?.callEnded({
    ...callOf(call, route),
    outcome: 'reply',
    durationMs: reply.durationMs,
    firstByteMs: reply.firstByteMs,
    usage: booked.usage,
    cost: booked.cost,
    reply: { id: reply.requestId, model: reply.model, finish: reply.finish },
  });
}

/** Tells the meter of a call that failed, after so long. */
export function measureFailure(
  { meter }: CallModelContext,
  call: Call,
  route: Route,
  error: ModelCallError,
  { hold, durationMs }: { readonly hold: NanoUsd; readonly durationMs: number },
): void {
  if (meter === undefined) return;
  const { price } = route.model;
  const told = { ...callOf(call, route), failure: error.failure, durationMs };
  if (error.billing === 'billed' && error.usage !== undefined) {
    const cost = price === undefined ? 0 : priceCall(price, error.usage);
    meter.callEnded({ ...told, outcome: 'failed', usage: error.usage, cost });
  } else if (error.billing === 'none') meter.callEnded({ ...told, outcome: 'refused', usage: NO_USAGE, cost: 0 });
  else meter.callEnded({ ...told, outcome: 'uncertain', usage: NO_USAGE, cost: hold });
}

function callOf({ owner, document, tier }: Call, { model, request }: Route) {
  const { batchId, slice, workflow, tenant } = owner.claim;
  return {
    batch: batchId,
    slice,
    document,
    workflow,
    tenant,
    model: model.name,
    modelId: model.id,
    provider: model.provider,
    tier,
    maxOutputTokens: request.maxOutputTokens,
    temperature: request.temperature,
  };
}
