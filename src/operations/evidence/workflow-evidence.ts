import type { App } from '../../app.ts';
import type { WorkflowEvidence } from '../../batches/batch-status.ts';
import { candidateState } from '../../slices/candidate.ts';
import { driftState } from '../../slices/drift-watch.ts';

/** What the tests of a workflow say, as the config has it now. Undefined: nothing is tested. */
export async function workflowEvidence(app: App, name: string): Promise<WorkflowEvidence | undefined> {
  const spec = app.config.workflows.get(name)?.spec;
  if (spec === undefined) return undefined;
  const { evidence } = app.slices;
  const [compared, audited] = await Promise.all([candidateState(evidence, spec), driftState(evidence, spec)]);
  if (compared === undefined && audited === undefined) return undefined;
  const mode = spec.candidate?.mode ?? 'shadow';
  return {
    ...(compared === undefined ? {} : { candidate: { mode, ...compared } }),
    ...(audited === undefined ? {} : { audit: pick(audited) }),
  };
}

function pick({ samples, errors, alarmAt }: NonNullable<WorkflowEvidence['audit']>) {
  return { samples, errors, ...(alarmAt === undefined ? {} : { alarmAt }) };
}
