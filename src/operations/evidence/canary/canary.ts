import { setTimeout as delay } from 'node:timers/promises';
import type { App } from '../../../app.ts';
import { changeEvidence, readEvidence } from '../../../calibration/evidence-book.ts';
import { routeTo } from '../../../calls/call.ts';
import type { CallOwner } from '../../../calls/call-owner.ts';
import { StopError } from '../../../calls/stop.ts';
import { tryCall } from '../../../calls/try-call.ts';
import { ModelCallError } from '../../../providers/failure.ts';
import type { ProviderGate } from '../../../providers/provider-gate.ts';
import { buildModelRequest } from '../../../requests/model-request.ts';
import { classifyQuestion } from '../../../tasks/classify/answer.ts';
import type { ClassifyWorkflow, ModelSpec } from '../../../workflows/workflow.ts';
import { withCallOwner } from '../with-owner.ts';
import { afterProbe, type CanaryNews, type CanaryProbe, type CanaryRecord, digestOf } from './canary-record.ts';

/** What canaries are booked under, beside all workflows: `workflow:canary/day`. */
export const CANARY_WORKFLOW = 'canary';

const LOOK_EVERY_MS = 15_000;

/** Plain questions with one right answer; no document of anybody is in them. */
const QUESTIONS: readonly { readonly text: string; readonly label: string }[] = [
  { text: 'The invoice of March was charged twice. Please send the money back.', label: 'billing' },
  { text: 'The page shows an error and stays white after I press the button.', label: 'bug' },
  { text: 'Thank you for the friendly help, everything is fine now.', label: 'thanks' },
];

function canaryWorkflow(model: ModelSpec): ClassifyWorkflow {
  return {
    name: CANARY_WORKFLOW,
    task: 'classify',
    cascade: [{ model }],
    labels: [
      { label: 'billing', description: 'Invoices, charges and refunds' },
      { label: 'bug', description: 'Something does not work' },
      { label: 'thanks', description: 'Thanks, with nothing to do' },
    ],
    examples: [],
  };
}

/** Looks at each provider whose config has a canary, as often as it says and once in the whole cluster, until `signal` aborts. */
export async function keepCanaries(app: App, signal: AbortSignal): Promise<void> {
  const watched = [...app.config.providers.values()].flatMap((provider) => {
    const model = canaryModel(app, provider.name);
    return provider.canary === undefined || model === undefined ? [] : [{ every: provider.canary.everyMs, model }];
  });
  while (!signal.aborted && watched.length > 0) {
    for (const { every, model } of watched) {
      try {
        if (await app.memory.takeTurn(`canary-${model.provider}`, every)) await askCanary(app, model, signal);
      } catch (error) {
        if (!signal.aborted) {
          app.log.warn('canary:failing', { provider: model.provider, reason: (error as Error).message });
        }
      }
    }
    await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
  }
}

/** The one that its canary names, else the first of the config. */
function canaryModel({ config }: App, provider: string): ModelSpec | undefined {
  const name = config.providers.get(provider)?.canary?.model;
  return [...config.models.values()].find(
    (model) => model.provider === provider && (name ?? model.name) === model.name,
  );
}

/** One probe, written down; people are told where it says something new. */
export async function askCanary(app: App, model: ModelSpec, signal: AbortSignal): Promise<CanaryProbe | undefined> {
  const probe = await probeModel(app, model, signal);
  if (probe === undefined) return undefined;
  let news: CanaryNews | undefined;
  await changeEvidence<CanaryRecord>(app.slices.evidence, `canary:${model.provider}`, (before) => {
    const after = afterProbe(before, probe);
    news = after.news;
    return after.record;
  });
  const { at, failure, latencyMs, format, label, answers, served } = probe;
  app.log.info('canary:probed', { provider: model.provider, failure, latencyMs, format, label, answers, served });
  if (news !== undefined) await tell(app, model, news, at);
  return probe;
}

async function tell(app: App, { provider, name, id }: ModelSpec, news: CanaryNews, at: number): Promise<void> {
  const of = `${name} (${id}) at ${provider}`;
  const event = news.kind === 'failing' ? 'canary:failing' : 'canary:changed';
  const message =
    news.kind === 'failing'
      ? `The canary of ${provider} fails for the second time in a row: ${news.reason}. Asked was ${of}.`
      : `${of} is no longer what it was: ${news.from} before, ${news.to} now. Evaluate it again: nightmill eval`;
  app.log.warn(event, { provider, message });
  await app.breaker.notify({
    event,
    subject: provider,
    message,
    details: { provider, model: name },
    key: `${provider}|${at}`,
  });
}

/** Undefined: no limit or quota has room for it, or this process ends: that says nothing of the provider. */
async function probeModel(app: App, model: ModelSpec, signal: AbortSignal): Promise<CanaryProbe | undefined> {
  const gate = app.slices.providers.get(model.provider);
  if (gate === undefined) return undefined;
  try {
    return await withCallOwner(app, CANARY_WORKFLOW, signal, (owner) => askQuestions(app, owner, model, gate));
  } catch (error) {
    if (error instanceof StopError) return undefined;
    throw error;
  }
}

async function askQuestions(app: App, owner: CallOwner, model: ModelSpec, gate: ProviderGate): Promise<CanaryProbe> {
  const workflow = canaryWorkflow(model);
  const replies: string[] = [];
  const served = new Set<string>();
  let [latencyMs, formed, right] = [0, 0, 0];
  const base = { at: app.clock.now(), model: model.id };
  for (const [document, { text, label }] of QUESTIONS.entries()) {
    const question = classifyQuestion(workflow, text);
    const route = routeTo(model, buildModelRequest(model, question.prompt, 'first'));
    const entry = await tryCall(app.slices, { owner, document, tier: 0, routes: [route] }, route, gate);
    if (entry instanceof ModelCallError) {
      return { ...base, failure: entry.message, latencyMs, format: 0, label: 0 };
    }
    if (entry instanceof StopError) throw entry;
    latencyMs = Math.max(latencyMs, Math.round(entry.durationMs));
    replies.push(entry.reply.text);
    const id = [entry.servedId ?? entry.servedBy, entry.fingerprint].filter((part) => part !== undefined).join(' ');
    if (id !== '') served.add(id);
    const judgement = question.judge(entry.reply);
    if (judgement.kind === 'rejected') continue;
    formed += 1;
    if (judgement.value.label === label) right += 1;
  }
  return {
    ...base,
    latencyMs,
    format: formed / QUESTIONS.length,
    label: right / QUESTIONS.length,
    answers: digestOf(replies),
    ...(served.size === 0 ? {} : { served: [...served].toSorted().join(', ') }),
  };
}

/** The latest probes of each provider that has a canary, newest first. */
export async function listCanaries(
  app: App,
): Promise<readonly { readonly provider: string; readonly probes: readonly CanaryProbe[] }[]> {
  const names = [...app.config.providers.values()].filter(({ canary }) => canary !== undefined).map(({ name }) => name);
  return await Promise.all(
    names.map(async (provider) => {
      const record = await readEvidence<CanaryRecord>(app.slices.evidence, `canary:${provider}`);
      return { provider, probes: record?.probes ?? [] };
    }),
  );
}
