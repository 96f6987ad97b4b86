import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { App } from '../../src/app.ts';
import { sourceOfInputs } from '../../src/documents/document-source.ts';
import { formatUsd, type NanoUsd } from '../../src/money/money.ts';
import { submitDocuments } from '../../src/operations/submit-documents.ts';
import { chance } from '../../src/simulator/random.ts';
import { Cli } from '../helpers/cli.ts';
import type { ChaosDocument } from './documents.ts';
import type { ScenarioBatch } from './scenario.ts';

export interface DocumentsOfBatch extends Omit<ScenarioBatch, 'documents'> {
  readonly documents: readonly ChaosDocument[];
}

export interface SubmitPlace {
  readonly app: App;
  readonly folder: string;
  /** The config of processes that are started. */
  readonly config: string;
  readonly seed: number;
}

const DEATHS = 2;
const LIFE_MS = 3_000;
const AGAIN_MS = 300;
const LOOK_MS = 5;
const CANCELLED_WITHIN_MS = 180_000;

/** Submits a batch in its way: whoever does so may die of it, and does it again until it is done. */
export async function submit(place: SubmitPlace, batch: DocumentsOfBatch, budget: NanoUsd | undefined): Promise<void> {
  const path = join(place.folder, `${batch.id}.jsonl`);
  writeFileSync(path, batch.documents.map((document) => `${JSON.stringify(document)}\n`).join(''));
  if (batch.through === 'command') await submitByCommand(place, batch, path, budget);
  else if (batch.through === 'server') await submitByServer(place, batch, budget);
  else await submitHere(place, batch, path, budget);
}

async function submitHere(
  { app, seed }: SubmitPlace,
  { id, workflow, endedBy }: DocumentsOfBatch,
  path: string,
  budget: NanoUsd | undefined,
): Promise<void> {
  await submitDocuments(app, {
    source: sourceOfInputs([{ kind: 'path', path }], [path]),
    workflow,
    id,
    ...(endedBy === 'expires' ? { expiresAt: app.clock.now() + lifeOf(seed, 'expires', 4 * LIFE_MS) } : {}),
    ...(budget === undefined ? {} : { budget }),
  });
}

/** `nightmill submit`, killed while it writes the documents and at some other moment, and typed again. */
async function submitByCommand(
  { app, folder, config, seed }: SubmitPlace,
  { id, workflow }: DocumentsOfBatch,
  path: string,
  budget: NanoUsd | undefined,
): Promise<void> {
  const limit = budget === undefined ? [] : ['--budget', formatUsd(budget).replace('$', '')];
  for (let turn = 0; ; turn += 1) {
    await using command = new Cli(folder, ['submit', path, '-w', workflow, '--id', id, ...limit, '--config', config]);
    const end = turn === 0 ? hasBegun(app, id) : turn < DEATHS ? delay(lifeOf(seed, `${id} ${turn}`)) : undefined;
    const finished = await unless(command.exited, end);
    if (finished?.code === 0) return;
    if (finished !== undefined && !/Cannot reach Redis|in the store|the store has it/.test(finished.stderr))
      throw new Error(`nightmill submit ended with ${finished.code}: ${finished.stderr}`);
    await delay(AGAIN_MS);
  }
}

/** `POST /api/v1/batches`; the server is killed while it takes the documents, and asked again when it is back. */
async function submitByServer(
  { app, folder, config, seed }: SubmitPlace,
  { id, workflow, documents }: DocumentsOfBatch,
  budget: NanoUsd | undefined,
): Promise<void> {
  const query = new URLSearchParams({ workflow, id });
  if (budget !== undefined) query.set('budgetUsd', formatUsd(budget).replace('$', ''));
  const body = documents.map((document) => `${JSON.stringify(document)}\n`).join('');
  for (let turn = 0; ; turn += 1) {
    await using server = new Cli(folder, ['serve', '--no-worker', '--port', '0', '--config', config]);
    const isUp = await server.prints(/serving on http\S+/).then(
      () => true,
      () => false,
    );
    const url = /serving on (http[^\s,"]+)/.exec(server.stderr)?.[1] ?? '';
    if (isUp && (await answers(`${url}/api/v1/batches?${query}`, body, turn, server))) return;
    await delay(AGAIN_MS);
  }

  async function answers(url: string, sent: string, turn: number, server: Cli): Promise<boolean> {
    const asked = fetch(url, { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body: sent });
    if (turn < DEATHS) {
      asked.catch(() => {});
      await (turn === 0 ? hasBegun(app, id) : delay(lifeOf(seed, id, LIFE_MS / 5)));
      server.kill('SIGKILL');
      return false;
    }
    const answer = await asked;
    if (answer.status !== 200 && answer.status !== 201 && answer.status < 500)
      throw new Error(`POST /api/v1/batches answered ${answer.status}: ${await answer.text()}`);
    return answer.ok;
  }
}

/** `nightmill cancel` a while after the batch was submitted; killed, and typed again or left to the workers to finish. */
export async function cancelSoon({ folder, config, seed }: SubmitPlace, id: string): Promise<void> {
  await delay(lifeOf(seed, 'cancel'));
  for (let turn = 0; ; turn += 1) {
    await using command = new Cli(folder, ['cancel', id, '--config', config]);
    const life = turn === 0 ? lifeOf(seed, 'cancel command') : CANCELLED_WITHIN_MS;
    const finished = await unless(command.exited, delay(life));
    if (finished === undefined && turn > 0) throw new Error(`nightmill cancel did not end within ${life / 1_000} s`);
    if (finished?.code === 0) return;
    if (finished === undefined && chance(seed, 'chaos life', 'cancel left') < 0.5) return;
    // In the moment before a file takes the place of the store's folder, what the folder has looks missing.
    if (
      finished !== undefined &&
      !/Cannot reach Redis|in the store|the store has it|missing from file:/.test(finished.stderr)
    )
      throw new Error(`nightmill cancel ended with ${finished.code}: ${finished.stderr}`);
    await delay(AGAIN_MS);
  }
}

function lifeOf(seed: number, purpose: string, mostMs = LIFE_MS): number {
  return Math.floor(100 + mostMs * chance(seed, 'chaos life', purpose));
}

/** Resolves when a submission has begun to write its documents. */
async function hasBegun({ batches }: App, id: string): Promise<void> {
  // Redis may be away in this scenario.
  while ((await batches.get(id).catch(() => undefined)) === undefined) await delay(LOOK_MS);
}

/** Undefined where `end` comes first. */
async function unless<T>(work: Promise<T>, end: Promise<void> | undefined): Promise<T | undefined> {
  return end === undefined ? await work : await Promise.race([work, end.then(() => undefined)]);
}
