/** A file of the OpenAI-compatible endpoint. Its content stands in the store under `files/<id>/content`. */
export interface FileRecord {
  /** `file-…` */
  readonly id: string;
  /** Whose it is; absent: nobody's in particular. */
  readonly tenant?: string;
  readonly purpose: 'batch' | 'batch_output';
  readonly filename: string;
  readonly bytes: number;
  /** Of the content, in hex. */
  readonly sha256: string;
  /** Milliseconds since the epoch, like every time here. */
  readonly createdAt: number;
  /** From then on it does not exist. Absent: never. */
  readonly expiresAt?: number;
}

/** What is wrong with a batch's input, as OpenAI tells it. */
export interface BatchFault {
  readonly code: string;
  readonly message: string;
  readonly param: string | null;
  /** 1-based; null: not of one line. */
  readonly line: number | null;
}

/** A batch of ours that does the lines of one model. */
export interface BatchPart {
  readonly workflow: string;
  readonly batchId: string;
  readonly lines: number;
}

export interface RequestCounts {
  readonly total: number;
  readonly completed: number;
  readonly failed: number;
}

export interface TokenCounts {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
}

export type BatchEnding = 'completed' | 'expired' | 'cancelled';

/**
 * What happens to a batch. Each step is noted once and the first one who notes it wins, so that several servers can
 * drive a batch and no step is ever taken back.
 */
export interface BatchSteps {
  /** Its input was refused: the end. */
  readonly refused: { readonly at: number; readonly faults: readonly BatchFault[] };
  /** Its input is good; from now on these batches of ours may exist. */
  readonly planned: { readonly parts: readonly BatchPart[] };
  /** All of them do. */
  readonly submitted: { readonly at: number };
  readonly cancelling: { readonly at: number };
  readonly finalizing: { readonly at: number };
  readonly ended: {
    readonly at: number;
    readonly ending: BatchEnding;
    readonly counts: RequestCounts;
    readonly usage: TokenCounts;
    readonly outputFileId: string | null;
    readonly errorFileId: string | null;
  };
  /** It does not exist any more for its clients. */
  readonly deleted: { readonly at: number };
}

export type BatchStep = keyof BatchSteps;

/** A batch of the OpenAI-compatible endpoint: one or more batches of ours under one id. */
export interface CompatBatch extends Partial<BatchSteps> {
  /** `batch_…`, and `msgbatch_…` where it was asked for in Anthropic's shape */
  readonly id: string;
  readonly tenant?: string;
  /** Whose changes it makes, for the audit log. */
  readonly actor: string;
  readonly createdAt: number;
  readonly endpoint: string;
  /** As it was asked for, e.g. `24h`. */
  readonly completionWindow: string;
  readonly expiresAt: number;
  readonly inputFileId: string;
  /** Whoever asked may see that file; decided once, when it was asked for. */
  readonly mayReadFile: boolean;
  readonly metadata: Readonly<Record<string, string>> | null;
  /** How long its output files stay. Absent: until they are deleted. */
  readonly outputSeconds?: number;
  /** Of what it was asked with, to tell a repeat from another batch with the same idempotency key. */
  readonly requestHash: string;
}

export interface ScanOptions {
  /** Only what comes behind this id, which may have been removed since; one that was never added: nothing. */
  readonly after?: string | undefined;
  readonly newestFirst: boolean;
}

/** What the OpenAI-compatible endpoint keeps beside the batches of ours. No text of documents. */
export interface OpenAiRecords {
  /** Before the content of a file is stored: what a server that dies leaves behind is found by it. */
  noteUpload(id: string, at: number): Promise<void>;
  /** Uploads that were begun before `before`, milliseconds since the epoch, and have become no file. */
  abandonedUploads(before: number): Promise<readonly string[]>;
  forgetUpload(id: string): Promise<void>;
  /** Its upload is done. */
  addFile(file: FileRecord): Promise<void>;
  getFile(id: string): Promise<FileRecord | undefined>;
  /** In the order in which they were added. */
  scanFiles(options: ScanOptions): AsyncIterable<FileRecord>;
  /** Its place in the order stays, for clients that delete what they list. */
  removeFile(id: string): Promise<void>;
  wasAdded(kind: 'files' | 'batches', id: string): Promise<boolean>;
  /** False where the id exists. */
  addBatch(batch: CompatBatch): Promise<boolean>;
  getBatch(id: string): Promise<CompatBatch | undefined>;
  scanBatches(options: ScanOptions): AsyncIterable<CompatBatch>;
  /** Ids of batches that are neither refused nor ended. */
  openBatches(): Promise<readonly string[]>;
  /** False where the step had been noted before; then nothing changes. */
  noteStep<S extends BatchStep>(id: string, step: S, value: BatchSteps[S]): Promise<boolean>;
}
