import { LOCAL_MODEL_NAME, type Tier } from '../workflows/workflow.ts';

/** The tiers that call a provider, with their index in the workflow's cascade. */
export type PaidTiers = readonly { readonly index: number; readonly tier: Tier }[];

/**
 * A run of tiers that are asked in the same way. `isLast`: what this stage passes on has no answer.
 */
export type CascadeStage =
  | { readonly kind: 'local'; readonly index: number; readonly tier: Tier; readonly isLast: boolean }
  | { readonly kind: 'paid'; readonly tiers: PaidTiers; readonly isLast: boolean };

/**
 * Cuts a cascade into stages. The local model answers whole documents, any number at once and without a call; the
 * tiers between two local ones are asked question by question.
 */
export function cascadeStages(cascade: readonly Tier[]): readonly CascadeStage[] {
  const stages: CascadeStage[] = [];
  let paid: { readonly index: number; readonly tier: Tier }[] = [];
  const endPaid = () => {
    if (paid.length > 0) stages.push({ kind: 'paid', tiers: paid, isLast: false });
    paid = [];
  };
  for (const [index, tier] of cascade.entries()) {
    if (tier.model.name !== LOCAL_MODEL_NAME) paid.push({ index, tier });
    else {
      endPaid();
      stages.push({ kind: 'local', index, tier, isLast: false });
    }
  }
  endPaid();
  return stages.map((stage, at) => ({ ...stage, isLast: at === stages.length - 1 }));
}
