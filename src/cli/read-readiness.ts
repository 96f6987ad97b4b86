import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Config, WorkflowConfig } from '../../config/config.ts';
import { isUnpinnedAlias } from '../../config/model-alias.ts';
import type { Readiness, WorkflowReadiness, WrittenEvidence } from '../doctor/ready.ts';
import { NightmillError } from '../errors.ts';
import type { Evaluation } from '../evaluation/evaluation.ts';
import type { GateDecision } from '../evaluation/gate.ts';
import { formatUsd } from '../money/money.ts';
import { storedEvaluations } from '../operations/evidence/evaluations.ts';
import { describeCure, readGate } from '../operations/evidence/gate.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { isRecord, parseJson } from '../text/json-value.ts';
import { LOCAL_MODEL_NAME, poolOf, type Tier } from '../workflows/workflow.ts';

const EVIDENCE_FILE = 'readiness.yaml';

const evidenceSchema = z.strictObject({
  candidates: z.array(z.string()).default([]),
  jsonValidity: z.number().min(0).max(1).optional(),
  rollback: z.string().optional(),
});

/**
 * Everything that the list before production looks at: the config, `golden/WORKFLOW.jsonl` and `readiness.yaml` beside it, and the
 * evaluations in the store.
 *
 * @param now milliseconds since the epoch
 * @throws {NightmillError} `usage`: `readiness.yaml` is there and cannot be read; what the store throws, where a workflow has a gate
 */
export async function readReadiness(
  config: Config,
  openStore: () => Promise<ObjectStore>,
  now: number,
): Promise<Readiness> {
  const folder = config.file === undefined ? resolve(config.folder, '..') : dirname(config.file);
  const gated = [...config.workflows.values()].filter(({ gate }) => gate !== undefined);
  const { gates, compared } = await readStored(gated, openStore, now);
  const evidence = readEvidence(folder);
  return {
    workflows: [...config.workflows.keys()].map((name) => {
      const gate = gates.get(name);
      return { ...workflowReadiness(config, name, folder), ...(gate === undefined ? {} : { gate }) };
    }),
    webhooks: config.alerts.webhooks.length,
    missingSecrets: (config.missingSecrets ?? []).map(({ name }) => name),
    evidence: evidence.candidates.length > 0 ? evidence : { ...evidence, candidates: compared },
  };
}

interface Stored {
  /** By workflow. */
  readonly gates: ReadonlyMap<string, NonNullable<WorkflowReadiness['gate']>>;
  /** Evaluation runs that compare versions of one workflow. */
  readonly compared: readonly string[];
}

/** What the store says. Without a gate nobody needs it, so that one that cannot be read says nothing. */
async function readStored(
  gated: readonly WorkflowConfig[],
  openStore: () => Promise<ObjectStore>,
  now: number,
): Promise<Stored> {
  try {
    const store = await openStore();
    try {
      return { gates: new Map(await readGates(store, gated, now)), compared: await readCompared(store) };
    } finally {
      await store.close();
    }
  } catch (error) {
    if (gated.length === 0 && error instanceof NightmillError) return { gates: new Map(), compared: [] };
    throw error;
  }
}

async function readGates(store: ObjectStore, gated: readonly WorkflowConfig[], now: number) {
  const read = gated.map(async (workflow) => {
    const decision = await readGate(store, workflow, now);
    return [workflow.spec.name, describeGate(workflow, decision as GateDecision, now)] as const;
  });
  return await Promise.all(read);
}

/** The latest run of each version of the workflow of which most versions were evaluated on one golden set. */
async function readCompared(store: ObjectStore): Promise<readonly string[]> {
  const sets = new Map<string, Map<string, Evaluation>>();
  for await (const evaluation of storedEvaluations(store)) {
    const { workflow, hashes, evaluatedAt } = evaluation;
    const set = `${workflow}\0${hashes['content']}`;
    const versions = sets.get(set) ?? new Map<string, Evaluation>();
    sets.set(set, versions);
    const version = hashes['config'] ?? '';
    if ((versions.get(version)?.evaluatedAt ?? '') < evaluatedAt) versions.set(version, evaluation);
  }
  const most = [...sets.values()].sort((a, b) => b.size - a.size)[0];
  return [...(most?.values() ?? [])].map(({ run }) => run);
}

function describeGate(workflow: WorkflowConfig, decision: GateDecision, now: number) {
  if (!decision.isOpen) return { isOpen: false, detail: decision.why, next: describeCure(workflow, decision, now) };
  const days = Math.floor(decision.ageDays);
  const age = days === 0 ? 'today' : `${days} day${days === 1 ? '' : 's'} ago`;
  return { isOpen: true, detail: `evaluation ${decision.run.run}, ${age}`, next: '' };
}

function workflowReadiness(config: Config, name: string, folder: string): WorkflowReadiness {
  const workflow = config.workflows.get(name);
  const paid = (workflow?.spec.cascade ?? []).filter(({ model }) => model.name !== LOCAL_MODEL_NAME);
  const golden = readGolden(folder, workflow?.gate?.golden ?? join(folder, 'golden', `${name}.jsonl`));
  const amounts = [
    ...Object.entries(workflow?.budget ?? {}),
    ...Object.entries(config.budget).map(([period, usd]) => [`all workflows' ${period}`, usd] as const),
  ];
  // A document's own limit holds no sum.
  if (amounts.length > 0 && workflow?.spec.documentLimit !== undefined) {
    amounts.push(['document', workflow.spec.documentLimit]);
  }
  return {
    name,
    isPaid: paid.length > 0,
    tiers: paid.map((tier) => tierReadiness(config, tier)),
    budgets: amounts.map(([scope, usd]) => `${scope} ${formatUsd(usd as number)}`),
    ...(golden === undefined ? {} : { golden }),
  };
}

function tierReadiness(
  { pools }: Config,
  { model, hosts = [], fallbacks = [], standsInLocally }: Tier,
): WorkflowReadiness['tiers'][number] {
  return {
    model: model.name,
    provider: model.provider,
    isPinned: !isUnpinnedAlias(model.id),
    fallbacks: [
      ...[...hosts, ...fallbacks].map(({ name }) => name),
      ...(standsInLocally === true ? [LOCAL_MODEL_NAME] : []),
    ],
    limits: Object.entries(pools.get(poolOf(model)) ?? {}).map(([limit, value]) => `${limit} ${value}`),
    isPriced: model.price !== undefined,
  };
}

function readGolden(folder: string, path: string): WorkflowReadiness['golden'] {
  if (!existsSync(path)) return undefined;
  const rows = readFileSync(path, 'utf8').split('\n').map(parseJson).filter(isRecord);
  const cases = rows.flatMap(({ metadata }) =>
    isRecord(metadata) && typeof metadata.case === 'string' ? [metadata.case] : [],
  );
  return { file: relative(folder, path), lines: rows.length, cases: new Set(cases) };
}

function readEvidence(folder: string): WrittenEvidence {
  const path = join(folder, EVIDENCE_FILE);
  if (!existsSync(path)) return { file: EVIDENCE_FILE, candidates: [] };
  const parsed = evidenceSchema.safeParse(readYaml(path));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw unreadable(path, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not as it should be'}`);
  }
  const { candidates, jsonValidity, rollback } = parsed.data;
  return {
    file: EVIDENCE_FILE,
    candidates,
    ...(jsonValidity === undefined ? {} : { jsonValidity }),
    ...(rollback === undefined ? {} : { rollback: { file: rollback, exists: existsSync(resolve(folder, rollback)) } }),
  };
}

function readYaml(path: string): unknown {
  try {
    return parse(readFileSync(path, 'utf8')) ?? {};
  } catch (error) {
    throw unreadable(path, (error as Error).message.split('\n')[0] ?? '');
  }
}

function unreadable(path: string, problem: string): NightmillError {
  return new NightmillError(
    'usage',
    `Cannot read ${path}: ${problem}. It has candidates: [NAME], jsonValidity: 0 to 1 and rollback: FILE, each if you have it.`,
  );
}
