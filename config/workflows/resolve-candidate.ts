import type { CandidateSpec, Tier } from '../../src/workflows/workflow.ts';
import { checkDataPolicy } from '../check-data-policy.ts';
import type { RawConfig } from '../schema.ts';
import { resolveInstructions } from './read-text.ts';
import type { CascadeContext } from './resolve-cascade.ts';
import { resolveTier } from './resolve-tier.ts';

type RawWorkflow = RawConfig['workflows'][string];

/**
 * What is to be compared with a workflow: another model or cascade, other instructions, or both.
 *
 * @param workflowAt the path of the workflow
 * @param cascade the workflow's own, which a candidate with other instructions alone uses too
 */
export function resolveCandidate(
  workflow: RawWorkflow,
  cascade: readonly Tier[],
  workflowAt: string,
  context: CascadeContext & { readonly folder: string },
): CandidateSpec | undefined {
  const { candidate: raw } = workflow;
  if (raw === undefined) return undefined;
  const at = `${workflowAt}.candidate`;
  const { problems } = context;
  const { share, mode, margin } = raw;
  if (raw.model !== undefined && raw.cascade !== undefined) {
    problems.push(`${at}: model and cascade are two ways to say one thing; keep one of them`);
  }
  const written = raw.cascade ?? (raw.model === undefined ? undefined : [{ model: raw.model }]);
  const tiers = written?.flatMap((tier, index) => {
    const path = `${at}.cascade.${index}`;
    if (tier.acceptAt === 'calibrated')
      problems.push(`${path}.acceptAt: calibrate it when it is in force; write a number`);
    return resolveTier(tier, path, context) ?? [];
  });
  checkDataPolicy(tiers ?? [], workflow, context.raw, (index) => `${at}.cascade.${index}`, problems);
  const instructions = resolveInstructions(raw, at, context.folder, problems);
  if (tiers === undefined && instructions === undefined) {
    problems.push(`${at}: nothing differs from the workflow; name a model, a cascade, instructions or a prompt`);
  }
  return {
    cascade: tiers ?? cascade,
    ...(instructions === undefined ? {} : { instructions }),
    share,
    mode,
    margin,
  };
}
