import type { ScheduleJson } from '../../operations/schedules/schedule-json.ts';
import { apiPath, get, send } from '../api.ts';
import { Act } from '../parts/act.tsx';
import { TableFrame, Whole } from '../parts/frame.tsx';
import { When } from '../parts/values.tsx';
import { hrefOf } from '../route.ts';
import { useLoad } from '../use-load.ts';

/** Nights that come by themselves: last and next slot, what was missed and why. */
export function Schedules() {
  const [loaded, reload] = useLoad('schedules', (signal) =>
    get<{ schedules: readonly ScheduleJson[] }>('/api/v1/schedules', signal),
  );
  return (
    <>
      <h1 tabIndex={-1}>Schedules</h1>
      <Whole loaded={loaded}>
        {({ schedules }) =>
          schedules.length === 0 ? (
            <p class="quiet">
              No workflow has a schedule. It gets one in the config: <code>schedule:</code> with <code>cron</code> and{' '}
              <code>input</code>.
            </p>
          ) : (
            <>
              <Overview schedules={schedules} reload={reload} />
              {schedules.map((schedule) => (
                <Slots key={schedule.name} schedule={schedule} />
              ))}
            </>
          )
        }
      </Whole>
    </>
  );
}

function Overview({ schedules, reload }: { readonly schedules: readonly ScheduleJson[]; readonly reload: () => void }) {
  return (
    <TableFrame label="schedules">
      <table>
        <thead>
          <tr>
            <th scope="col">Workflow</th>
            <th scope="col">When</th>
            <th scope="col">Next</th>
            <th scope="col">Inbox</th>
            <th scope="col">
              <span class="unseen">Change</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {schedules.map((schedule) => (
            <ScheduleRow key={schedule.name} schedule={schedule} reload={reload} />
          ))}
        </tbody>
      </table>
    </TableFrame>
  );
}

function ScheduleRow({ schedule, reload }: { readonly schedule: ScheduleJson; readonly reload: () => void }) {
  const { name, cron, timezone, input, paused, next, due, trouble } = schedule;
  const act = (verb: string) => async () => {
    await send('POST', apiPath('schedules', name, verb));
    reload();
  };
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>
        <code>{cron}</code> <span class="quiet">{timezone}</span>
      </td>
      <td data-label="next">
        {paused === null ? next.slice(0, 1).map(({ slot }) => <When key={slot} at={slot} />) : `paused by ${paused.by}`}
        {due.length > 0 && <div>{`${due.length} to run${trouble === null ? '' : `: ${trouble.message}`}`}</div>}
      </td>
      <td class="breakable" data-label="inbox">
        {input}
      </td>
      <td class="buttons">
        <Act label={`Run ${name} now`} act={act('run')} />
        <Act
          label={paused === null ? `Pause ${name}` : `Resume ${name}`}
          act={act(paused === null ? 'pause' : 'resume')}
        />
      </td>
    </tr>
  );
}

function Slots({ schedule: { name, runs } }: { readonly schedule: ScheduleJson }) {
  return (
    <section>
      <h2>Slots of {name}</h2>
      {runs.length === 0 ? (
        <p class="quiet">None has come yet.</p>
      ) : (
        <TableFrame label={`slots of ${name}`}>
          <table>
            <thead>
              <tr>
                <th scope="col">Slot</th>
                <th scope="col">Outcome</th>
                <th scope="col" class="number">
                  Files
                </th>
                <th scope="col" class="number">
                  Known before
                </th>
                <th scope="col" class="number">
                  Quarantined
                </th>
              </tr>
            </thead>
            <tbody>
              {runs.map(({ slot, outcome, batch, files, duplicates, quarantined, why }) => (
                <tr key={slot}>
                  <th scope="row">
                    <When at={slot} />
                  </th>
                  <td>
                    {batch === null ? (
                      `${outcome === 'empty' ? 'nothing new' : outcome}${why === null ? '' : `: ${why}`}`
                    ) : (
                      <a href={hrefOf(['batches', batch])}>{batch}</a>
                    )}
                  </td>
                  <td class="number" data-label="files">
                    {files}
                  </td>
                  <td class="number" data-label="known before">
                    {duplicates}
                  </td>
                  <td class="number" data-label="quarantined">
                    {quarantined}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </TableFrame>
      )}
    </section>
  );
}
