import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { METRICS } from '../../src/calibration/calibration.ts';
import { promptIdentity } from '../../src/tasks/prompt-hash.ts';
import { modelsOfTier, type Tier, type WorkflowSpec } from '../../src/workflows/workflow.ts';
import type { WorkflowConfig } from '../config.ts';

/** `nightmill calibrate -w WORKFLOW` writes it, a cascade with `acceptAt: calibrated` reads it. */
const storedCalibrationSchema = z.object({
  workflow: z.string(),
  /** Of the prompts and models that it was made with. */
  madeWith: z.string(),
  calibratedAt: z.string(),
  target: z.number(),
  delta: z.number(),
  metric: z.enum(METRICS),
  labelsUsed: z.number(),
  tiers: z.array(
    z.object({
      model: z.string(),
      threshold: z.number().optional(),
      thresholds: z.record(z.string(), z.number()).optional(),
      share: z.number(),
    }),
  ),
  certified: z.object({ bound: z.number(), method: z.string() }),
  expectedCostUsd: z.number(),
  costShareOfStrongest: z.number(),
  oracleShare: z.number(),
  fallback: z.object({ reason: z.string(), labelsNeeded: z.number().nullable() }).nullable(),
});

export type StoredCalibration = z.output<typeof storedCalibrationSchema>;

export function calibrationFile(stateFolder: string, workflow: string): string {
  return join(stateFolder, 'calibrations', `${workflow}.json`);
}

/** Hash of what a calibration depends on: what is asked, and of which models. Thresholds are not in it. */
export function calibrationIdentity(spec: WorkflowSpec): string {
  const models = spec.cascade.map((tier) =>
    modelsOfTier(tier).map(({ name, provider, id, temperature, reasoning, request, logprobs }) => [
      name,
      provider,
      id,
      temperature,
      reasoning,
      request,
      logprobs,
    ]),
  );
  return createHash('sha256')
    .update(JSON.stringify([promptIdentity(spec).sha256, models]))
    .digest('hex');
}

type ResolvedCalibration = Pick<WorkflowConfig, 'spec' | 'madeWith'> & Partial<Pick<WorkflowConfig, 'uncalibrated'>>;

/**
 * The workflow with the thresholds of its calibration. Tiers that the calibration leaves out are dropped. Where there is no
 * calibration, or one of other prompts or models, `uncalibrated` says so with the fix: nothing can be submitted then.
 *
 * @param written the cascade as the config has it; where no tier says `acceptAt: calibrated` the workflow stays as it is
 * @param stateFolder `.nightmill`: where calibrations are kept
 */
export function resolveCalibration(
  spec: WorkflowSpec,
  written: readonly { readonly acceptAt?: number | 'calibrated' | undefined }[],
  stateFolder: string,
): ResolvedCalibration {
  const calibrated = written.flatMap(({ acceptAt }, index) => (acceptAt === 'calibrated' ? [index] : []));
  const madeWith = () => calibrationIdentity(spec);
  if (calibrated.length === 0) return { spec, madeWith };
  const file = calibrationFile(stateFolder, spec.name);
  const cure = `Make one: nightmill calibrate -w ${spec.name} --rows results.jsonl (docs/calibration.md)`;
  const refuse = (why: string) => ({
    spec: withTiers(spec, calibrated, () => ({})),
    madeWith,
    uncalibrated: `${why} ${cure}`,
  });
  if (!existsSync(file))
    return refuse(`The workflow ${spec.name} has acceptAt: calibrated and no calibration in ${file}.`);
  const text = readFileSync(file, 'utf8');
  const stored = parseStored(text);
  if (stored === undefined) return refuse(`The calibration ${file} cannot be read.`);
  if (stored.madeWith !== madeWith()) {
    return refuse(`The calibration ${file} of ${stored.calibratedAt} was made with other prompts or models.`);
  }
  const known = new Map(stored.tiers.map((tier) => [tier.model, tier]));
  const { target, delta, metric, calibratedAt, fallback } = stored;
  const calibration = {
    target,
    delta,
    metric,
    calibratedAt,
    sha256: createHash('sha256').update(text).digest('hex'),
    ...(fallback === null ? {} : { fallback: fallback.reason }),
  };
  const applied = withTiers(spec, calibrated, (tier) => known.get(tier.model.name));
  return { spec: { ...applied, calibration }, madeWith };
}

function parseStored(text: string): StoredCalibration | undefined {
  try {
    return storedCalibrationSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function withTiers(
  spec: WorkflowSpec,
  calibrated: readonly number[],
  find: (
    tier: Tier,
  ) =>
    | { readonly threshold?: number | undefined; readonly thresholds?: Record<string, number> | undefined }
    | undefined,
): WorkflowSpec {
  const cascade = spec.cascade.flatMap((tier, index): Tier[] => {
    if (!calibrated.includes(index)) return [tier];
    const found = find(tier);
    if (found === undefined) return [];
    if (found.threshold !== undefined) return [{ ...tier, acceptAt: found.threshold }];
    return [{ ...tier, acceptAtByLabel: found.thresholds ?? {} }];
  });
  return { ...spec, cascade };
}
