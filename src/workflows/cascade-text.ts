import type { Tier } from './workflow.ts';

/** A cascade as candidates are written, such as `small@0.85>large`; a threshold for each label is not spelled out. */
export function cascadeText(cascade: readonly Pick<Tier, 'model' | 'acceptAt' | 'acceptAtByLabel'>[]): string {
  return cascade
    .map(({ model, acceptAt, acceptAtByLabel }) => {
      if (acceptAtByLabel !== undefined) return `${model.name}@calibrated`;
      return acceptAt === undefined ? model.name : `${model.name}@${acceptAt}`;
    })
    .join('>');
}
