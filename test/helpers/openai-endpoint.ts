import { setTimeout as delay } from 'node:timers/promises';
import OpenAI from 'openai';
import type { Batch } from 'openai/resources/batches';
import { afterAll } from 'vitest';
import type { Cli } from './cli.ts';
import { startServe } from './serve.ts';
import { type ConfigOptions, configYaml, makeDocuments, toJsonl, Workspace } from './workspace.ts';

export const CHAT = { endpoint: '/v1/chat/completions', completion_window: '24h' } as const;

export interface Endpoint extends AsyncDisposable {
  readonly workspace: Workspace;
  readonly cli: Cli;
  readonly url: string;
  /** The official client, unchanged but for where it asks. */
  readonly client: OpenAI;
}

/** A server in a folder of its own. */
export async function startEndpoint(options: ConfigOptions, ...args: string[]): Promise<Endpoint> {
  const workspace = await Workspace.make({ 'nightmill.yaml': configYaml(options) });
  const { url, cli } = await startServe(workspace, ...args);
  return { workspace, cli, url, client: clientOf(url), [Symbol.asyncDispose]: () => workspace[Symbol.asyncDispose]() };
}

/** One server for several tests of a file: it starts when the first of them asks for it, and ends after the last. */
export function sharedEndpoint(options: ConfigOptions, ...args: string[]): () => Promise<Endpoint> {
  let endpoint: Promise<Endpoint> | undefined;
  afterAll(async () => await (await endpoint)?.[Symbol.asyncDispose]());
  return () => {
    endpoint ??= startEndpoint(options, ...args);
    return endpoint;
  };
}

export function clientOf(url: string, apiKey = 'sk-placeholder'): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
}

/** A batch file: a request for each document, `change` replaces parts of its line. */
export function batchFile(count: number, change: (index: number) => Record<string, unknown> = () => ({})): string {
  return toJsonl(
    makeDocuments(count).map(({ id, text }, index) => ({
      custom_id: id,
      method: 'POST',
      url: '/v1/chat/completions',
      body: bodyOf('triage', text),
      ...change(index),
    })),
  );
}

export function bodyOf(model: string, text: string): object {
  return {
    model,
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: text },
    ],
  };
}

export async function upload(client: OpenAI, text: string, name = 'in.jsonl'): Promise<OpenAI.FileObject> {
  return await client.files.create({ file: new File([text], name), purpose: 'batch' });
}

/** Uploads a file and asks for a batch of it. */
export async function createBatch(client: OpenAI, text: string, more: object = {}): Promise<Batch> {
  const file = await upload(client, text);
  return await client.batches.create({ ...CHAT, input_file_id: file.id, ...more });
}

/** Asks for a batch until it is over, or as wanted. */
export async function polled(client: OpenAI, id: string, wanted: (batch: Batch) => boolean = isOver): Promise<Batch> {
  for (;;) {
    const batch = await client.batches.retrieve(id);
    if (wanted(batch)) return batch;
    await delay(25);
  }
}

function isOver({ status }: Batch): boolean {
  return ['completed', 'failed', 'expired', 'cancelled'].includes(status);
}

export interface OutputLine {
  readonly id: string;
  readonly custom_id: string;
  readonly response: { readonly status_code: number; readonly body: OpenAI.ChatCompletion } | null;
  readonly error: { readonly code: string } | null;
}

export async function linesOf(client: OpenAI, fileId: string | null | undefined): Promise<readonly OutputLine[]> {
  const content = await client.files.content(fileId ?? 'none');
  const text = await content.text();
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
}

/** What a call of the client fails with. */
export async function failureOf(call: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  const failure = await call.then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  );
  return failure as InstanceType<typeof OpenAI.APIError>;
}
