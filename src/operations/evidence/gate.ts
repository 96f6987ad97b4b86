import { createHash } from 'node:crypto';
import type { WorkflowConfig } from '../../../config/config.ts';
import type { App } from '../../app.ts';
import { NightmillError } from '../../errors.ts';
import { type AnswerIdentity, decideGate, type EvaluatedRun, type GateDecision } from '../../evaluation/gate.ts';
import { readManifestBytes } from '../../results/result-files.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { storeKeys } from '../../store/store-keys.ts';
import { promptIdentity } from '../../tasks/prompt-hash.ts';
import { modelsOfTier, type WorkflowSpec } from '../../workflows/workflow.ts';

/** Hashes of what decides a workflow's answers and their price; quotas are not in it. */
export function answerIdentity(workflow: WorkflowSpec): AnswerIdentity {
  const models = workflow.cascade.map((tier) => modelsOfTier(tier));
  return {
    prompt: promptIdentity(workflow).sha256,
    models: hash(models.map((tier) => tier.map(({ pool: _, price: __, ...model }) => model))),
    prices: hash(models.map((tier) => tier.map(({ price }) => price ?? null))),
    thresholds: hash(workflow.cascade.map(({ acceptAt, acceptAtByLabel }) => acceptAtByLabel ?? acceptAt ?? null)),
  };
}

export function goldenSha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * Remembers a finished evaluation for the gate of its workflow.
 *
 * @param golden text of the golden set
 */
export async function rememberEvaluation(
  app: App,
  { run, metrics }: { readonly run: string; readonly metrics: Readonly<Record<string, number>> },
  golden: string,
): Promise<void> {
  const { workflow } = await app.slices.submission(run);
  const manifest = JSON.parse(Buffer.from(await readManifestBytes(app.store, run)).toString());
  const evaluated: EvaluatedRun = {
    run,
    answeredAt: manifest.finishedAt,
    goldenSha256: goldenSha256(golden),
    identity: answerIdentity(workflow),
    metrics,
  };
  await app.store.put(storeKeys.evaluated(workflow.name, run), Buffer.from(JSON.stringify(evaluated)));
}

/** @returns undefined where the workflow has no gate */
export async function readGate(
  store: ObjectStore,
  { spec, gate }: WorkflowConfig,
  now: number,
): Promise<GateDecision | undefined> {
  if (gate === undefined) return undefined;
  const runs: EvaluatedRun[] = [];
  for await (const { key } of store.list(storeKeys.evaluatedPrefix(spec.name))) {
    const bytes = await store.get(key);
    if (bytes !== undefined) runs.push(JSON.parse(Buffer.from(bytes).toString()));
  }
  return decideGate(gate, answerIdentity(spec), runs, now);
}

/** @throws {NightmillError} `gate_closed` with the command that opens it */
export async function requireOpenGate(app: App, workflow: WorkflowConfig): Promise<void> {
  const decision = await readGate(app.store, workflow, app.clock.now());
  if (decision === undefined || decision.isOpen) return;
  const { name } = workflow.spec;
  throw new NightmillError(
    'gate_closed',
    `The workflow ${name} may not spend yet: ${decision.why}. ${describeCure(workflow, decision, app.clock.now())}`,
  );
}

/** What opens a closed gate. */
export function describeCure(
  { spec: { name }, gate }: WorkflowConfig,
  { cure, better = '' }: GateDecision & { readonly isOpen: false },
  now: number,
): string {
  const command = `nightmill eval -w ${name} --golden ${gate?.golden}`;
  if (cure === 'evaluate') return `Evaluate it: ${command}`;
  // Under the id of the earlier run the answers of then would be scored again.
  if (cure === 'anew') return `Evaluate it again: ${command} --id ${name}-${new Date(now).toISOString().slice(0, 10)}`;
  return (
    `Go back to what ${better} was made with, or fix the prompt and evaluate again: ${command}; ` +
    `to accept the drop, raise workflows.${name}.gate.maxDrop.`
  );
}

function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
