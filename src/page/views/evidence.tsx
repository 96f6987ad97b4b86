import type { Batch } from '../api-types.ts';
import { count, counted } from '../format.ts';
import { When } from '../parts/values.tsx';

/** What tests over all batches of its workflow say: whether a candidate is better, whether a calibration still holds. */
export function Evidence({ batch: { evidence = {}, workflow } }: { readonly batch: Batch }) {
  const { candidate, audit } = evidence;
  if (candidate === undefined && (audit === undefined || audit.samples === 0)) return null;
  return (
    <section>
      <h2>Evidence</h2>
      <p class="quiet">Over all batches of {workflow}.</p>
      {candidate !== undefined && (
        <p>
          Candidate ({candidate.mode}): {counted(candidate.documents, 'document')} compared, right alone in{' '}
          {count(candidate.better)}, wrong alone in {count(candidate.worse)}.
          {candidate.stoppedAt !== null && (
            <strong>
              {' '}
              Stopped <When at={candidate.stoppedAt} />, because it is worse.
            </strong>
          )}
        </p>
      )}
      {audit !== undefined && audit.samples > 0 && (
        <p>
          Audit: {counted(audit.samples, 'document')} since the calibration, {count(audit.errors)} not confirmed.
          {audit.alarmAt !== null && (
            <strong>
              {' '}
              Drift found <When at={audit.alarmAt} />: the last tier answers everything.
            </strong>
          )}
        </p>
      )}
    </section>
  );
}
