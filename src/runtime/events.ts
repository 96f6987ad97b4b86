/** Every event that is logged, `noun:verb`, and when it fires. docs/operation.md lists the same. */
export const EVENTS = {
  'alert:delivered': 'A webhook took an alert.',
  'alert:lost': 'A webhook did not take an alert, and it is not tried again.',
  'alert:retried': 'A webhook did not take an alert; it is tried again.',
  'batch:expired': 'The time of a batch is over: it ends with what is done.',
  'http:failed': 'A request to the server failed for a reason that is not the client’s.',
  'batch:finished': 'A batch has ended: its manifest is written.',
  'books:unbalanced': 'At the end of a batch, rows and ledger name different amounts.',
  'breaker:closed': 'A batch or a workflow works again.',
  'breaker:open': 'A batch or a workflow is paused; the reason says why.',
  'budget:alert': 'Spending has reached a level of a limit, or is on its way over it.',
  'cache:failed': 'The answer cache could not be read or written; the call is made without it.',
  'call:odd': 'A reply is kept although something is odd about it: its usage cannot be, or another model gave it.',
  'call:retry': 'A model call failed for a passing reason and is tried again.',
  'clock:agrees': "A clock that differed from Redis's agrees with it again; a worker that stood still takes slices.",
  'clock:differs': "This machine's clock differs from Redis's by more than 5 s; by more than 60 s, it takes no slices.",
  'housekeeping:failed': 'A round of maintenance failed; the next one tries again.',
  'ledger:overrun': 'A reply cost more than what was held for it.',
  'ledger:restored': 'Redis had forgotten writes of the last seconds; they were posted again.',
  'ledger:uncertain':
    'Calls of a dead worker, whose outcome nobody can know, were booked at what was held for them; one line a batch.',
  'limits:differ':
    "A worker's config states other limits than those in force; `nightmill apply` makes this config count.",
  'program:note': 'A remark that a terminal shows as a line: a signal was received, a server is installed or listens.',
  'retry:orphaned': 'A retry has ended, but the batch that it belongs to has no manifest to merge it into.',
  'slice:committed': 'The rows of a slice count from now on.',
  'slice:deferred': 'A worker leaves a slice to others, because its own config cannot do it.',
  'slice:stopped': 'A slice was handed back to the queue before its end.',
  'store:restored': 'The store works again for this worker, which takes slices again.',
  'store:trouble': 'The store does not work for this worker: it takes no slices until a probe of the store works.',
  'worker:draining': 'A worker was told to stop and finishes what is in flight.',
  'worker:error': 'The queue reported an error; the worker goes on as soon as it can.',
  'worker:started': 'A worker takes slices.',
  'worker:stopped': 'A worker has handed back what it had and ends.',
} as const;

export type EventName = keyof typeof EVENTS;
