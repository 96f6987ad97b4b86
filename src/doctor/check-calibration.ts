import type { CalibrationRef } from '../workflows/workflow.ts';
import type { Check } from './check.ts';

/** What a workflow's calibrated thresholds promise, or why they cannot be used. Pure. */
export function checkCalibration(
  workflow: string,
  { spec, uncalibrated }: { readonly spec: { readonly calibration?: CalibrationRef }; readonly uncalibrated?: string },
): readonly Check[] {
  const name = `workflow ${workflow}`;
  if (uncalibrated !== undefined) return [{ name, state: 'failed', detail: uncalibrated }];
  if (spec.calibration === undefined) return [];
  const { target, delta, metric, calibratedAt, fallback } = spec.calibration;
  const promise = `${metric} ${target} at a delta of ${delta}, calibrated ${calibratedAt}`;
  return fallback === undefined
    ? [{ name, state: 'ok', detail: promise }]
    : [{ name, state: 'warning', detail: `the strongest model answers everything: ${fallback} (${promise})` }];
}
