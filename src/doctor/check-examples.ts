import { FEWEST_EXAMPLES } from '../local-model/text-classifier.ts';
import { LOCAL_MODEL_NAME, type Tier } from '../workflows/workflow.ts';
import type { Check } from './check.ts';

/** Examples that the local model does not learn from, because there are too few. Pure. */
export function checkExamples(
  workflow: string,
  { cascade, examples = [] }: { readonly cascade: readonly Tier[]; readonly examples?: readonly unknown[] },
): readonly Check[] {
  const isUsed = examples.length === 0 || examples.length >= FEWEST_EXAMPLES;
  if (isUsed || !cascade.some(asksLocally)) return [];
  return [
    {
      name: `workflow ${workflow}`,
      state: 'warning',
      detail:
        `its ${examples.length} examples are not used: the local model learns from ${FEWEST_EXAMPLES} or more, and from 8 a ` +
        `label it learns well; add ${FEWEST_EXAMPLES - examples.length} or more to workflows.${workflow}.examples`,
    },
  ];
}

function asksLocally({ model, standsInLocally }: Tier): boolean {
  return model.name === LOCAL_MODEL_NAME || standsInLocally === true;
}
