import type { ComponentChildren } from 'preact';
import type { JobJson, QueueDetailJson, QueueJson } from '../../operations/figures/queues.ts';
import { apiPath, get } from '../api.ts';
import { count } from '../format.ts';
import { TableFrame, Whole } from '../parts/frame.tsx';
import { When } from '../parts/values.tsx';
import { batchHref, hrefOf } from '../route.ts';
import { useLoad } from '../use-load.ts';

/** How many jobs each queue has in which state. */
export function Queues() {
  const [loaded, reload] = useLoad('queues', (signal) =>
    get<{ queues: readonly QueueJson[] }>(apiPath('queues'), signal),
  );
  return (
    <>
      <h1 tabIndex={-1}>Queues</h1>
      <ReadAgain reload={reload} />
      <p class="quiet">
        A job is one slice of a batch, or in <code>nightmill.finalize</code> its last step.
      </p>
      <Whole loaded={loaded}>
        {({ queues }) => (
          <TableFrame label="queues">
            <table>
              <Heads
                names={['Queue', '*Waiting', '*At work', '*Tried again later', '*Failed', 'Oldest since', '*Workers']}
              />
              <tbody>
                {queues.map((queue) => (
                  <tr key={queue.name}>
                    <th scope="row">
                      <a href={hrefOf(['queues', queue.name])}>{queue.name}</a>
                      {queue.paused && (
                        <>
                          {' '}
                          <Paused />
                        </>
                      )}
                    </th>
                    <Figure label="waiting" of={queue.waiting} />
                    <Figure label="at work" of={queue.active} />
                    <Figure label="tried again later" of={queue.delayed} />
                    <Figure label="failed" of={queue.failed} />
                    <td data-label="oldest since">
                      {queue.oldestAt === null ? <span class="quiet">nothing open</span> : <When at={queue.oldestAt} />}
                    </td>
                    <Figure label="workers" of={queue.workersAlive} />
                  </tr>
                ))}
              </tbody>
            </table>
          </TableFrame>
        )}
      </Whole>
    </>
  );
}

const PARTS = [
  ['active', 'At work', 'No job is at work.'],
  ['waiting', 'Next', 'No job waits.'],
  ['delayed', 'Tried again later', 'No job has failed and waits for its next try.'],
  ['failed', 'Failed', 'No job has failed for good.'],
] as const;

/** The jobs of one queue. */
export function QueueView({ name }: { readonly name: string }) {
  const [loaded, reload] = useLoad(`queue ${name}`, (signal) => get<QueueDetailJson>(apiPath('queues', name), signal));
  return (
    <>
      <h1 tabIndex={-1}>Queue {name}</h1>
      <ReadAgain reload={reload} />
      <Whole loaded={loaded}>
        {(queue) => (
          <>
            {queue.paused && (
              <p>
                <Paused /> No worker takes a job until it is resumed; <a href={hrefOf([])}>Tonight</a> says why.
              </p>
            )}
            {PARTS.map(([state, title, none]) => (
              <section key={state}>
                <h2>
                  {title} ({count(queue[state])})
                </h2>
                {queue[state] === 0 ? <p class="quiet">{none}</p> : <Jobs label={title} jobs={queue.jobs[state]} />}
                {queue[state] > queue.jobs[state].length && (
                  <p class="quiet">
                    {count(queue.jobs[state].length)} of {count(queue[state])} are shown.
                  </p>
                )}
              </section>
            ))}
          </>
        )}
      </Whole>
    </>
  );
}

function Jobs({ label, jobs }: { readonly label: string; readonly jobs: readonly JobJson[] }) {
  return (
    <TableFrame label={label}>
      <table>
        <Heads names={['Batch', '*Slice', 'Queued', 'Last try', '*Failed tries', 'Reason']} />
        <tbody>
          {jobs.map(({ batch, slice, addedAt, startedAt, failures, reason }) => (
            <tr key={`${batch} ${slice}`}>
              <th scope="row" class="breakable">
                <a href={batchHref(batch)}>{batch}</a>
              </th>
              <td class="number" data-label="slice">
                {slice ?? <span class="quiet">last step</span>}
              </td>
              <td data-label="queued">
                <When at={addedAt} />
              </td>
              <td data-label="last try">
                {startedAt === null ? <span class="quiet">none yet</span> : <When at={startedAt} />}
              </td>
              <Figure label="failed tries" of={failures} />
              <td class="breakable" data-label="reason">
                {reason ?? <span class="quiet">none</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableFrame>
  );
}

function Heads({ names }: { readonly names: readonly string[] }) {
  const cells: ComponentChildren = names.map((name) => (
    <th key={name} scope="col" class={name.startsWith('*') ? 'number' : undefined}>
      {name.replace('*', '')}
    </th>
  ));
  return (
    <thead>
      <tr>{cells}</tr>
    </thead>
  );
}

function Figure({ label, of }: { readonly label: string; readonly of: number }) {
  return (
    <td class="number" data-label={label}>
      {count(of)}
    </td>
  );
}

function Paused() {
  return (
    <span class="badge is-paused">
      <span aria-hidden="true">‖</span> paused
    </span>
  );
}

function ReadAgain({ reload }: { readonly reload: () => void }) {
  return (
    <p class="buttons">
      <button type="button" onClick={reload}>
        Read again
      </button>
    </p>
  );
}
