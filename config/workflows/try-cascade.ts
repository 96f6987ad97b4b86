import { describeLackOfRoom } from '../../src/tasks/room-for-documents.ts';
import { TASKS } from '../../src/tasks/tasks.ts';
import { knownNames } from '../../src/text/known-names.ts';
import { LOCAL_MODEL_NAME, type WorkflowSpec } from '../../src/workflows/workflow.ts';
import type { RawConfig } from '../schema.ts';
import { type CascadeContext, resolveCascade } from './resolve-cascade.ts';
import type { TriedCascade, WrittenTier } from './tried-cascade.ts';

type RawWorkflow = RawConfig['workflows'][string];

/**
 * The cascade that a candidate's text names: a model, a plan of the workflow or another workflow of its task (their cascades), or tiers from the cheapest on,
 * such as `local@0.95>small@0.85>large`; by the name of the workflow itself it is as it is. A model has the settings that its tier has in the workflow's own cascade; `@` gives it another threshold, and the
 * last one has none but a written one.
 *
 * @param at path of the workflow
 */
export function tryCascade(
  text: string,
  raw: RawWorkflow,
  { at, spec, context }: { readonly at: string; readonly spec: WorkflowSpec; readonly context: CascadeContext },
): TriedCascade {
  if (text === spec.name && !context.models.has(text)) return { kind: 'own' };
  const written = writtenCascade(text, raw, context);
  if (typeof written === 'string') return { kind: 'refused', reason: written };
  const useless = uselessThreshold(text, raw, written);
  if (useless !== undefined) return { kind: 'refused', reason: useless };
  const problems: string[] = [];
  const cascade = resolveCascade({ ...raw, cascade: [...written] }, at, { ...context, problems });
  const [problem] = problems.filter((each) => each.startsWith(`${at}.cascade`));
  const reason =
    problem === undefined ? describeLackOfRoom({ ...spec, cascade }) : problem.slice(problem.indexOf(': ') + 2);
  return reason === undefined ? { kind: 'cascade', cascade, written } : { kind: 'refused', reason };
}

function writtenCascade(
  text: string,
  raw: RawWorkflow,
  { models, raw: whole }: CascadeContext,
): readonly WrittenTier[] | string {
  if (models.has(text)) return [withoutThreshold(ownTier(text, raw))];
  const plan = raw.plans[text]?.cascade;
  if (plan !== undefined) return plan;
  const other = whole.workflows[text];
  const { task: own } = raw;
  if (own === other?.task) return other.cascade;
  if (other !== undefined) return `it is a workflow of task ${other.task}, and this one has task ${own}`;
  const parts = text.split('>').map((part) => part.trim());
  if (parts.length === 1 && !text.includes('@')) {
    return `there is no such model, plan or workflow; ${knownNames([...models.keys(), ...Object.keys(raw.plans)])}`;
  }
  const tiers: WrittenTier[] = [];
  for (const [index, part] of parts.entries()) {
    const tier = readTier(part, raw);
    if (typeof tier === 'string') return tier;
    const isLast = index === parts.length - 1;
    tiers.push(isLast && !part.includes('@') ? withoutThreshold(tier) : tier);
  }
  return tiers;
}

function readTier(part: string, raw: RawWorkflow): WrittenTier | string {
  const [, name = '', threshold] = /^([^@]*)(?:@(.*))?$/.exec(part) ?? [];
  if (name === '') return `${JSON.stringify(part)} is no tier; write a model, or a model and its threshold: small@0.85`;
  const own = ownTier(name, raw);
  if (threshold === undefined) return own;
  const acceptAt = threshold.trim() === '' ? Number.NaN : Number(threshold);
  if (acceptAt >= 0 && acceptAt <= 1) return { ...own, acceptAt };
  return `the threshold ${JSON.stringify(threshold)} of ${name} is no number from 0 to 1; write ${name}@0.85`;
}

/** As the workflow's own cascade asks it; a model that is not in it, without settings. */
function ownTier(model: string, raw: RawWorkflow): WrittenTier {
  return raw.cascade.find((tier) => tier.model === model) ?? { model };
}

function withoutThreshold({ acceptAt: _, ...tier }: WrittenTier): WrittenTier {
  return tier;
}

/** A threshold that is not known, and tiers that would never be asked. */
function uselessThreshold(text: string, raw: RawWorkflow, tiers: readonly WrittenTier[]): string | undefined {
  const calibrated = tiers.find(({ acceptAt }) => acceptAt === 'calibrated');
  if (calibrated !== undefined) {
    const [name] = [calibrated.model].flat();
    return `the threshold of ${name} is calibrated with another cascade; write a number: ${name}@0.85`;
  }
  if ('hasNoConfidence' in TASKS[raw.task]) return undefined;
  const never = tiers.slice(0, -1).some(({ model, acceptAt }) => model === LOCAL_MODEL_NAME && acceptAt === undefined);
  return never
    ? `${LOCAL_MODEL_NAME} without a threshold answers everything; write ${LOCAL_MODEL_NAME}@0.95 in ${text}`
    : undefined;
}
