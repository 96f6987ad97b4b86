import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { DocumentInput, InputReading } from '../../documents/document-input.ts';
import { type DocumentSource, sourceOfInputs } from '../../documents/document-source.ts';
import { readDocuments } from '../../documents/read-documents.ts';
import { NightmillError } from '../../errors.ts';
import { isSameFile } from '../../schedules/choose-files.ts';
import { ARCHIVE, type Inbox, type InboxFile, QUARANTINE } from '../../schedules/inbox.ts';
import { findKeyFault } from '../../store/object-key.ts';
import type { ObjectInfo, ObjectStore } from '../../store/object-store.ts';

export interface StoreInboxOptions {
  readonly name: string;
  readonly store: ObjectStore;
  /** Ends with a slash, or is empty. */
  readonly prefix: string;
  readonly mayGrow: boolean;
  readonly reading: InputReading;
  readonly maxLineBytes: number;
  readonly submit: (batchId: string, source: DocumentSource) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** An inbox in a store: a prefix of a bucket, or a folder as a store of files. */
export class StoreInbox implements Inbox {
  readonly #options: StoreInboxOptions;

  constructor(options: StoreInboxOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  get mayGrow(): boolean {
    return this.#options.mayGrow;
  }

  async *list(): AsyncIterable<InboxFile> {
    const { store, prefix } = this.#options;
    for await (const info of store.list(prefix)) {
      // What no program may read by its key is no file of ours.
      if (findKeyFault(info.key) === undefined) yield this.#fileOf(info);
    }
  }

  async look(name: string): Promise<InboxFile | undefined> {
    const info = await this.#options.store.head(this.#key(name));
    return info === undefined ? undefined : this.#fileOf(info);
  }

  async hash(name: string): Promise<string | undefined> {
    const body = await this.#options.store.getStream(this.#key(name));
    if (body === undefined) return undefined;
    const hash = createHash('sha256');
    for await (const chunk of body) hash.update(chunk as Uint8Array);
    return hash.digest('hex');
  }

  async findFault(file: InboxFile): Promise<string | undefined> {
    return (await this.#examine(file))?.code;
  }

  async submit(batchId: string, files: readonly InboxFile[]): Promise<void> {
    await this.#options.submit(batchId, sourceOfInputs([this.#inputOf(files)], [this.name]));
  }

  async archive(file: InboxFile, batchId: string): Promise<void> {
    await this.#move(file, `${ARCHIVE}${batchId}/${file.name}`);
  }

  async quarantine(file: InboxFile): Promise<void> {
    const fault = await this.#examine(file);
    const reason = fault === undefined ? 'It could not be read when it was taken.' : `${fault.code}: ${fault.message}`;
    if (!(await this.#move(file, `${QUARANTINE}${file.name}`))) return;
    await this.#options.store.put(this.#key(`${QUARANTINE}${file.name}.reason.txt`), Buffer.from(`${reason}\n`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#options.close();
  }

  /** Reads until the first document; what is wrong where there is none. The message may quote the file. */
  async #examine(file: InboxFile): Promise<{ readonly code: string; readonly message: string } | undefined> {
    const { maxLineBytes } = this.#options;
    try {
      let first: { readonly code: string; readonly message: string } | undefined;
      for await (const entry of readDocuments([this.#inputOf([file])], { maxLineBytes })) {
        if (entry.kind === 'document') return undefined;
        const { code, message, line } = entry.problem;
        first ??= { code: line === undefined ? code : `${code} in line ${line}`, message };
      }
      return first ?? { code: 'no_documents', message: 'It has no documents.' };
    } catch (error) {
      if (!(error instanceof NightmillError) || error.code !== 'input_invalid') throw error;
      return { code: 'unreadable_file', message: error.message };
    }
  }

  #inputOf(files: readonly InboxFile[]): DocumentInput {
    const { store, prefix, reading } = this.#options;
    return { kind: 'store', store: new ChosenObjects(store, prefix, files), prefix: '', reading };
  }

  /** @returns whether it was there, as it was taken */
  async #move(file: InboxFile, target: string): Promise<boolean> {
    const { store } = this.#options;
    const now = await this.look(file.name);
    if (now === undefined || !isSameFile(file, now)) return false;
    const body = await store.getStream(this.#key(file.name));
    if (body === undefined) return false;
    await store.putStream(this.#key(target), body);
    await store.delete([this.#key(file.name)]);
    return true;
  }

  #key(name: string): string {
    return `${this.#options.prefix}${name}`;
  }

  #fileOf({ key, bytes, etag = '' }: ObjectInfo): InboxFile {
    return { name: key.slice(this.#options.prefix.length), version: etag, bytes };
  }
}

/** The files of an inbox that were chosen, as if nothing else were there; read only, and only as they were chosen. */
class ChosenObjects implements ObjectStore {
  readonly url: string;
  readonly #store: ObjectStore;
  readonly #prefix: string;
  readonly #files: readonly InboxFile[];

  constructor(store: ObjectStore, prefix: string, files: readonly InboxFile[]) {
    this.url = store.url;
    this.#store = store;
    this.#prefix = prefix;
    this.#files = files;
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    const info = await this.#store.head(`${this.#prefix}${key}`);
    return info === undefined ? undefined : { ...info, key };
  }

  /** @throws {NightmillError} `input_changed` */
  async *list(): AsyncGenerator<ObjectInfo> {
    for (const { name, version, bytes } of this.#files) {
      const info = await this.head(name);
      if (info !== undefined && info.bytes === bytes && (info.etag ?? '') === version) yield info;
      else throw new NightmillError('input_changed', `The file ${name} in ${this.url} changed while it was read.`);
    }
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return await this.#store.get(`${this.#prefix}${key}`);
  }

  async getStream(key: string): Promise<Readable | undefined> {
    return await this.#store.getStream(`${this.#prefix}${key}`);
  }

  async getRange(key: string, start: number, end: number): Promise<Uint8Array | undefined> {
    return await this.#store.getRange(`${this.#prefix}${key}`, start, end);
  }

  async put(): Promise<void> {
    throw readOnly();
  }

  async putAll(): Promise<void> {
    throw readOnly();
  }

  async putStream(): Promise<void> {
    throw readOnly();
  }

  async putJoined(): Promise<never> {
    throw readOnly();
  }

  async delete(): Promise<void> {
    throw readOnly();
  }

  async downloadUrl(): Promise<undefined> {
    return undefined;
  }

  async close(): Promise<void> {}
}

function readOnly(): Error {
  return new Error('The chosen files of an inbox are only read.');
}
