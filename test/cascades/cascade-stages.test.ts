import { describe, expect, it } from 'vitest';
import { cascadeStages } from '../../src/cascades/cascade-stages.ts';
import type { Tier } from '../../src/workflows/workflow.ts';

const cascade = (...names: string[]) => names.map((name) => ({ model: { name } }) as unknown as Tier);
const shapeOf = (...names: string[]) =>
  cascadeStages(cascade(...names)).map((stage) =>
    stage.kind === 'local' ? [stage.index] : stage.tiers.map(({ index }) => index),
  );

describe('cascadeStages()', () => {
  it('gives each local tier a stage of its own, wherever it stands, and keeps every index', () => {
    expect(shapeOf('local', 'small', 'large')).toEqual([[0], [1, 2]]);
    expect(shapeOf('small', 'local')).toEqual([[0], [1]]);
    expect(shapeOf('local', 'small', 'local', 'large')).toEqual([[0], [1], [2], [3]]);
    expect(shapeOf('small', 'large')).toEqual([[0, 1]]);
  });

  it('marks only the last stage as last', () => {
    expect(cascadeStages(cascade('local', 'small', 'local')).map(({ isLast }) => isLast)).toEqual([false, false, true]);
  });
});
