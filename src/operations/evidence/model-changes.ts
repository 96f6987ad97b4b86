import type { App } from '../../app.ts';
import { workflowHash } from '../../batches/workflow-hash.ts';
import { changeEvidence } from '../../calibration/evidence-book.ts';
import type { Evaluation } from '../../evaluation/evaluation.ts';
import { promptIdentity } from '../../tasks/prompt-hash.ts';
import { modelsOfTier, type WorkflowSpec } from '../../workflows/workflow.ts';
import { storedEvaluations } from './evaluations.ts';

/** What a workflow asks, and of whom; what is not in here does not change its answers' price or quality by itself. */
export interface WorkflowIdentity {
  readonly config: string;
  readonly prompt: string;
  /** By name in the config. */
  readonly models: Readonly<Record<string, { readonly provider: string; readonly id: string; readonly price: string }>>;
  /** Names and thresholds, cheapest first. */
  readonly cascade: string;
}

export interface ModelChange {
  readonly what: 'prompt' | 'model' | 'price' | 'cascade';
  /** Of the model; absent where it is the whole workflow's. */
  readonly name?: string;
  /** Null: there was none. */
  readonly before: string | null;
  /** Null: there is none any more. */
  readonly after: string | null;
}

/** One entry of the changelog: the first batch that came with something new. */
export interface WorkflowChange {
  /** ISO 8601. */
  readonly at: string;
  readonly batch: string;
  readonly by: string;
  readonly config: string;
  /** Null: the first batch that is known. */
  readonly configBefore: string | null;
  readonly changes: readonly ModelChange[];
}

interface Changelog {
  readonly last: WorkflowIdentity;
  /** Oldest first. */
  readonly entries: readonly WorkflowChange[];
}

/** Older entries leave. */
const KEPT = 200;

export function identityOf(workflow: WorkflowSpec): WorkflowIdentity {
  const models = workflow.cascade.flatMap(modelsOfTier);
  return {
    config: workflowHash(workflow),
    prompt: promptIdentity(workflow).sha256,
    models: Object.fromEntries(
      models.map(({ name, provider, id, price }) => [
        name,
        { provider, id, price: price === undefined ? 'unknown' : JSON.stringify(price) },
      ]),
    ),
    cascade: workflow.cascade
      .map(({ model, acceptAt, acceptAtByLabel }) => {
        const threshold = acceptAtByLabel === undefined ? acceptAt : JSON.stringify(acceptAtByLabel);
        return threshold === undefined ? model.name : `${model.name} >= ${threshold}`;
      })
      .join(', '),
  };
}

export function changesBetween(before: WorkflowIdentity, after: WorkflowIdentity): readonly ModelChange[] {
  const changes: ModelChange[] = [];
  const note = (what: ModelChange['what'], old: string | undefined, now: string | undefined, name?: string) => {
    if (old === now) return;
    changes.push({ what, ...(name === undefined ? {} : { name }), before: old ?? null, after: now ?? null });
  };
  note('prompt', before.prompt, after.prompt);
  for (const name of new Set([...Object.keys(before.models), ...Object.keys(after.models)])) {
    const [old, now] = [before.models[name], after.models[name]];
    note('model', old && `${old.provider}/${old.id}`, now && `${now.provider}/${now.id}`, name);
    if (old !== undefined && now !== undefined) note('price', old.price, now.price, name);
  }
  note('cascade', before.cascade, after.cascade);
  return changes;
}

/** Writes down what a new batch's workflow has that the one before had not; nothing where it is the same. */
export async function noteChanges(app: App, workflow: WorkflowSpec, batch: string): Promise<void> {
  const last = identityOf(workflow);
  const at = new Date(app.clock.now()).toISOString();
  const name = recordName(workflow.name);
  if ((await readLog(app, name))?.last.config === last.config) return;
  await changeEvidence<Changelog>(app.slices.evidence, name, (before) => {
    const changes = before === undefined ? [] : changesBetween(before.last, last);
    if (before !== undefined && changes.length === 0) return { ...before, last };
    const entry = { at, batch, by: app.actor, config: last.config, configBefore: before?.last.config ?? null, changes };
    return { last, entries: [...(before?.entries ?? []), entry].slice(-KEPT) };
  });
}

/** An entry with the newest evaluations of the workflow as it was before and after it. */
export interface EvaluatedChange extends WorkflowChange {
  readonly workflow: string;
  /** Null: none is stored. */
  readonly evaluationBefore: EvaluationFigures | null;
  readonly evaluationAfter: EvaluationFigures | null;
}

type EvaluationFigures = Pick<Evaluation, 'run' | 'evaluatedAt' | 'documents' | 'metrics'> & {
  readonly costUsdPerDocument: number;
};

/** Newest first. @param workflow default: all of the config */
export async function listChanges(app: App, workflow?: string): Promise<readonly EvaluatedChange[]> {
  const names = workflow === undefined ? [...app.config.workflows.keys()] : [workflow];
  const logs = await Promise.all(names.map(async (name) => ({ name, log: await readLog(app, recordName(name)) })));
  const entries = logs.flatMap(({ name, log }) => (log?.entries ?? []).map((entry) => ({ workflow: name, ...entry })));
  const evaluations = entries.length === 0 ? new Map() : await newestEvaluations(app);
  return entries
    .map((entry) => ({
      ...entry,
      evaluationBefore: evaluations.get(`${entry.workflow} ${entry.configBefore}`) ?? null,
      evaluationAfter: evaluations.get(`${entry.workflow} ${entry.config}`) ?? null,
    }))
    .sort((a, b) => (a.at < b.at ? 1 : -1));
}

/** By workflow and config hash. */
async function newestEvaluations(app: App): Promise<ReadonlyMap<string, EvaluationFigures>> {
  const found = new Map<string, EvaluationFigures>();
  for await (const evaluation of storedEvaluations(app.store)) {
    const { run, workflow, evaluatedAt, documents, metrics, costUsd, hashes } = evaluation;
    const name = `${workflow} ${hashes['config']}`;
    if ((found.get(name)?.evaluatedAt ?? '') > evaluatedAt) continue;
    const costUsdPerDocument = costUsd / Math.max(1, documents);
    found.set(name, { run, evaluatedAt, documents, metrics, costUsdPerDocument });
  }
  return found;
}

function recordName(workflow: string): string {
  return `changes:${workflow}`;
}

async function readLog(app: App, name: string): Promise<Changelog | undefined> {
  const text = await app.slices.evidence.get(name);
  return text === undefined ? undefined : (JSON.parse(text) as Changelog);
}
