import type { ProviderConfig } from '../../../config/config.ts';
import type { App } from '../../app.ts';
import { keepProbe } from '../../bills/probe-records.ts';
import { routeTo } from '../../calls/call.ts';
import type { CallOwner } from '../../calls/call-owner.ts';
import { StopError } from '../../calls/stop.ts';
import { tryCall } from '../../calls/try-call.ts';
import { type EndpointReport, probeEndpoint } from '../../doctor/doctor-provider.ts';
import { NightmillError } from '../../errors.ts';
import { batchScope } from '../../ledger/scope.ts';
import { formatUsd } from '../../money/money.ts';
import { addUsage, NO_USAGE } from '../../money/usage.ts';
import { ModelCallError } from '../../providers/failure.ts';
import type { ModelClient, ModelReply } from '../../providers/model-client.ts';
import { ProviderGate } from '../../providers/provider-gate.ts';
import type { ModelSpec } from '../../workflows/workflow.ts';
import { withCallOwner } from './with-owner.ts';

/** What probes are booked under, beside all workflows: `workflow:doctor/day`. */
const PROBE_WORKFLOW = 'doctor';

export interface ProviderProbe {
  readonly provider: ProviderConfig;
  readonly model: ModelSpec;
  readonly client: ModelClient;
  readonly signal: AbortSignal;
}

/**
 * Looks at an endpoint with one small call that passes ledger, quota and fence like every other one, and leaves a record
 * that bills are compared with.
 *
 * @throws {NightmillError} `usage`: a limit or the quota leaves no room for it now
 */
export async function probeProvider(
  app: App,
  { provider, model, client, signal }: ProviderProbe,
): Promise<EndpointReport> {
  const look = (owner: CallOwner) =>
    probeEndpoint({ provider, model, client: bookedClient(app, owner, { provider, model, client }), signal });
  try {
    return await withCallOwner(app, PROBE_WORKFLOW, signal, look, (owner) => keepRecord(app, owner, model));
  } catch (error) {
    throw error instanceof StopError ? refusalOf(error) : error;
  }
}

/** A client whose calls are held, paced and booked. It gives the reply as it came, which the books keep only in part. */
function bookedClient(
  app: App,
  owner: CallOwner,
  { provider, model, client }: Pick<ProviderProbe, 'provider' | 'model' | 'client'>,
): ModelClient {
  let latest: ModelReply | undefined;
  const gate = new ProviderGate({
    name: provider.name,
    client: {
      close: () => client.close(),
      call: async (request, signal) => {
        latest = await client.call(request, signal);
        return latest;
      },
    },
    concurrency: 1,
    timeLimitMs: provider.timeoutMs,
    outageToleranceMs: app.config.worker.providerPatienceMs,
    clock: app.clock,
    hasPromptCache: false,
  });
  let document = 0;
  return {
    close: () => client.close(),
    call: async (request) => {
      latest = undefined;
      const route = routeTo(model, request);
      const outcome = await tryCall(app.slices, { owner, document: document++, tier: 0, routes: [route] }, route, gate);
      if (outcome instanceof ModelCallError || outcome instanceof StopError) throw outcome;
      if (latest === undefined) throw new RangeError('A booked call has a reply');
      return latest;
    },
  };
}

async function keepRecord({ store, ledger, clock, log }: App, owner: CallOwner, model: ModelSpec): Promise<void> {
  const entries = [...owner.journal.values()];
  const { uncertain } = await ledger.totals(batchScope(owner.claim.batchId));
  if (entries.length === 0 && uncertain === 0) return;
  const record = {
    id: owner.claim.batchId.replace(/^~/, ''),
    at: clock.now(),
    provider: model.provider,
    model: model.id,
    calls: entries.length,
    usage: entries.reduce((sum, { usage }) => addUsage(sum, usage), NO_USAGE),
    cost: entries.reduce((sum, { cost }) => sum + cost, 0),
    uncertainCalls: uncertain === 0 ? 0 : 1,
    uncertainCost: uncertain,
    ...(model.price === undefined ? {} : { price: model.price }),
  };
  try {
    await keepProbe(store, record);
  } catch (error) {
    log.warn('store:trouble', { message: (error as Error).message });
  }
}

function refusalOf({ reason }: StopError): NightmillError {
  if (reason.kind === 'budget') {
    const { scope } = reason.refusal;
    return new NightmillError(
      'usage',
      `Cannot probe: the limit of ${scope} has no room for ${formatUsd(reason.hold)}. Raise it: nightmill budget set ${scope} USD`,
    );
  }
  const why = reason.kind === 'provider' ? reason.hold.reason : `it was stopped (${reason.kind})`;
  return new NightmillError('usage', `Cannot probe: ${why}`);
}
