/**
 * Every Redis key of the program. All of them share one hash tag, so that a script may touch any of them together,
 * also on Redis Cluster. Ids, numbers and compressed paid replies only: document text never gets here.
 */
export class RedisKeys {
  readonly #tag: string;

  constructor(prefix: string) {
    this.#tag = `{${prefix}}`;
  }

  /** A key by its name without the prefix. */
  named(name: string): string {
    return `${this.#tag}:${name}`;
  }

  /** STRING: which memory this is; gone with it. */
  get identity(): string {
    return this.named('identity');
  }

  /** STRING with expiry: someone has done this a moment ago. */
  turn(what: string): string {
    return this.named(`${what}-turn`);
  }

  /** BullMQ's own keys, in the same hash slot. */
  get bullmqPrefix(): string {
    return `${this.#tag}:bull`;
  }

  /** HASH scope name -> limit in nano-dollars: `config:<scope>` from the config, `set:<scope>` by command. */
  get limits(): string {
    return `${this.#tag}:limits`;
  }

  /** HASH model -> `calls|most`: how models count tokens compared with us. */
  get inputRatios(): string {
    return `${this.#tag}:input-ratios`;
  }

  /** HASH `parameter:model id` -> JSON: what refusals of a provider have taught about its models. */
  lessons(provider: string): string {
    return `${this.#tag}:lessons:${provider}`;
  }

  /** HASH name -> small fact about the cluster: `power:<provider>`: JSON, whether its server runs and until when it is paid. */
  get notes(): string {
    return `${this.#tag}:notes`;
  }

  /** STRING: the number of the format of everything here. */
  get format(): string {
    return `${this.#tag}:format`;
  }

  /** STRING with expiry: which worker keeps house. */
  get house(): string {
    return `${this.#tag}:house`;
  }

  /** ZSET worker id -> lease end, milliseconds of the server's clock. */
  get workers(): string {
    return `${this.#tag}:workers`;
  }

  /** HASH worker id -> JSON of a worker: where it runs, what it serves and has in progress, as of its last sign of life. */
  get workerRecords(): string {
    return `${this.#tag}:worker-records`;
  }

  /** ZSET owner of calls that is no batch -> opened at, milliseconds. */
  get callOwners(): string {
    return `${this.#tag}:call-owners`;
  }

  /** ZSET batch id -> submitted at, milliseconds. */
  get batches(): string {
    return `${this.#tag}:batches`;
  }

  /** SET of ids of batches that have not ended. */
  get openBatches(): string {
    return `${this.#tag}:open-batches`;
  }

  /** HASH call id -> hold record, one hash a worker, so that a dead worker's holds are found together. */
  holds(workerId: string): string {
    return `${this.#tag}:holds:${workerId}`;
  }

  /** HASH settled, uncertain, held, open (calls in flight), in nano-dollars, of one scope in one period. */
  scope(name: string, period: string): string {
    return `${this.#tag}:scope:${name}${period === '' ? '' : `:${period}`}`;
  }

  /** HASH of one provider quota; scripts/quota.ts says what is in it. */
  pool(name: string): string {
    return `${this.#tag}:pool:${name}`;
  }

  /** HASH of a batch's state and counters. */
  batch(batchId: string): string {
    return `${this.#tag}:batch:${batchId}`;
  }

  /** HASH worker -> why it cannot work on the batch; ends by itself soon after the last worker said so. */
  unable(batchId: string): string {
    return `${this.#tag}:unable:${batchId}`;
  }

  /** HASH slice -> fence token of its present owner, or `done` once committed. */
  fence(batchId: string): string {
    return `${this.#tag}:fence:${batchId}`;
  }

  /** HASH slice -> JSON of what was committed. */
  slices(batchId: string): string {
    return `${this.#tag}:slices:${batchId}`;
  }

  /** HASH slice -> documents finished so far in a slice that is not committed; for progress only. */
  progress(batchId: string): string {
    return `${this.#tag}:progress:${batchId}`;
  }

  /** HASH slice -> nano-dollars that its documents which are not finished have cost; counts beside `progress` only. */
  begun(batchId: string): string {
    return `${this.#tag}:begun:${batchId}`;
  }

  /** HASH call key -> paid reply, of one slice that is not committed. */
  journal(batchId: string, slice: number): string {
    return `${this.#tag}:journal:${batchId}:${slice}`;
  }

  /** HASH call id -> JSON of a call that was booked without a reply in any row. */
  uncertain(batchId: string): string {
    return `${this.#tag}:uncertain:${batchId}`;
  }

  /** HASH, cause to JSON: why a workflow is held; absent while it runs. */
  pauses(workflow: string): string {
    return `${this.#tag}:pauses:${workflow}`;
  }

  /** STRING: when the trouble of a provider began that is tried again. */
  retriedSince(name: string): string {
    return `${this.#tag}:retried-since:${name}`;
  }

  /** LIST of JSON, newest first: what the breaker of a workflow or a batch did. */
  breakerHistory(name: string): string {
    return `${this.#tag}:breaker-history:${name}`;
  }

  /** HASH name -> JSON of an API key, without its secret. */
  get apiKeys(): string {
    return `${this.#tag}:api-keys`;
  }

  /** HASH of a secret's hash -> name of its key. */
  get apiKeyHashes(): string {
    return `${this.#tag}:api-key-hashes`;
  }

  /** STREAM of JSON: who changed what. */
  get audit(): string {
    return `${this.#tag}:audit`;
  }

  /** LIST of JSON, newest first: what became of messages to webhooks. */
  get deliveries(): string {
    return `${this.#tag}:deliveries`;
  }

  /** STRING with expiry: someone in the cluster has checked the alerts a moment ago. */
  get alertCheck(): string {
    return `${this.#tag}:alert-check`;
  }

  /** STRING with expiry: this alert was sent. */
  alert(alertKey: string): string {
    return `${this.#tag}:alert:${alertKey}`;
  }

  /** HASH name -> JSON of what a test over many batches knows so far. */
  get evidence(): string {
    return `${this.#tag}:evidence`;
  }

  /** HASH of what finished batches of a workflow took, exponentially weighted. */
  history(workflow: string): string {
    return `${this.#tag}:history:${workflow}`;
  }

  /** ZSET flow -> end of its last slice in virtual time, and `now`; only flows that are ahead of the present. */
  fairFlows(workflow: string): string {
    return `${this.#tag}:fair-flows:${workflow}`;
  }

  /** ZSET reservation -> milliseconds of the server's clock: producers that are adding slices at this moment. */
  fairAdding(workflow: string): string {
    return `${this.#tag}:fair-adding:${workflow}`;
  }

  /** STRING with expiry: who is submitting this batch right now. */
  submission(batchId: string): string {
    return `${this.#tag}:submission:${batchId}`;
  }

  /** HASH file id -> JSON of a file of the OpenAI-compatible endpoint. */
  get openAiFiles(): string {
    return `${this.#tag}:openai-files`;
  }

  /** HASH file id -> when its upload began, milliseconds: only of uploads that have become no file yet. */
  get openAiUploads(): string {
    return `${this.#tag}:openai-uploads`;
  }

  /** HASH of a batch of the OpenAI-compatible endpoint: `request`, and each step that was noted, as JSON. */
  openAiBatch(id: string): string {
    return `${this.#tag}:openai-batch:${id}`;
  }

  /** ZSET id -> number of the order in which it was added. */
  openAiOrder(kind: 'files' | 'batches'): string {
    return `${this.#tag}:openai-order:${kind}`;
  }

  /** SET of ids of batches of the OpenAI-compatible endpoint that have not ended. */
  get openAiOpenBatches(): string {
    return `${this.#tag}:openai-open-batches`;
  }

  /** STRING: the last number in {@link openAiOrder}. */
  get openAiSerial(): string {
    return `${this.#tag}:openai-serial`;
  }

  /** HASH `seenUntil`, `paused`, `trouble` (JSON): how far the calendar of a schedule has been decided on. */
  schedule(name: string): string {
    return `${this.#tag}:schedule:${name}`;
  }

  /** HASH slot -> `calendar` or `command`: slots whose run is not done. */
  scheduleDue(name: string): string {
    return `${this.#tag}:schedule-due:${name}`;
  }

  /** HASH slot -> JSON of what became of it, the last thousand. */
  scheduleRecords(name: string): string {
    return `${this.#tag}:schedule-records:${name}`;
  }

  /** HASH slot -> JSON of the files that it has taken; only of due slots. */
  scheduleChosen(name: string): string {
    return `${this.#tag}:schedule-chosen:${name}`;
  }

  /** STRING with expiry: which worker runs the slots of a schedule. */
  scheduleLock(name: string): string {
    return `${this.#tag}:schedule-lock:${name}`;
  }

  /** HASH identity of a file (key, version, size) -> the slot that took it. */
  inboxFiles(name: string): string {
    return `${this.#tag}:inbox-files:${name}`;
  }

  /** HASH sha256 of a content -> the name under which it was taken. */
  inboxContents(name: string): string {
    return `${this.#tag}:inbox-contents:${name}`;
  }
}
