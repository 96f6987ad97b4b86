import type { Batch } from './api-types.ts';

/** What a test over all batches of a workflow has found, of which a person should know though the night goes on. */
export interface Alarm {
  readonly workflow: string;
  /** Where there is more to see. */
  readonly batch: string;
  readonly at: string;
  readonly text: string;
}

type Seen = Pick<Batch, 'id' | 'workflow' | 'evidence'>;

/** One of each kind a workflow: its batches all say the same. @param batches any, the newest first */
export function alarmsOf(batches: readonly Seen[]): readonly Alarm[] {
  const newest = new Map<string, Seen>();
  for (const batch of batches) if (!newest.has(batch.workflow)) newest.set(batch.workflow, batch);
  return [...newest.values()].flatMap(({ id: batch, workflow, evidence = {} }) => {
    const { audit, candidate } = evidence;
    const alarms: Alarm[] = [];
    const add = (at: string | null | undefined, text: string) => {
      if (typeof at === 'string') alarms.push({ workflow, batch, at, text });
    };
    add(audit?.alarmAt, 'its calibration no longer holds: the last tier answers everything. Calibrate it again.');
    add(candidate?.stoppedAt, 'its candidate is worse and is not asked any more. Take it out of the config.');
    return alarms;
  });
}
