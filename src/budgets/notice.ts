/** What people are told besides money, `noun:verb`. */
export const NOTICE_EVENTS = {
  'batch:finished': 'a batch has ended and every document has its answer',
  'batch:finished_with_failures': 'a batch has ended, and some documents have an error row',
  'work:paused': 'a batch or a workflow is paused: by budget, provider or operator',
  'store:trouble': 'a worker cannot use the store, and takes no slices until it can',
  'workers:none': 'work waits, and no worker is alive for it',
  'canary:failing': 'the canary of a provider fails for the second time in a row',
  'canary:changed': 'a model no longer answers as it did, or its provider names another one',
  'candidate:stopped': 'the candidate of a workflow is worse than what is in force, and is not asked any more',
  'cascade:drifted':
    'the audit shows that a calibrated cascade no longer keeps its promise: the last tier answers everything',
  'latency:drifted':
    "a model's slowest calls take half as long again as in the workflow's last seven nights, or longer",
  'key:refused': "a provider refuses a worker's key: that worker leaves its work to others",
  'power:failed': 'a server of your own could not be switched on or off',
  'key:revoked': 'someone has revoked an API key of this server',
  'night:summary': 'once a day: what was finished in the last 24 hours, and what is left',
} as const;

export type NoticeEvent = keyof typeof NOTICE_EVENTS;

/** Something that a person wants to know when it happens. */
export interface Notice {
  readonly event: NoticeEvent;
  /** The batch, workflow, worker or key that it is about. */
  readonly subject: string;
  /** One sentence for the person who reads it at midnight, with what to do. */
  readonly message: string;
  readonly details?: Readonly<Record<string, string | number>>;
  /** What was made of the documents' texts: sent, never logged. `text` for people, `json` for programs. */
  readonly digest?: { readonly text: string; readonly json: object };
  /** Said once in the cluster for each key. */
  readonly key: string;
}

/** Tells people; returns when it is on its way, and never fails the work that it tells of. */
export type Notify = (notice: Notice) => Promise<void>;
