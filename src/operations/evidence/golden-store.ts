import { createHash } from 'node:crypto';
import type { App } from '../../app.ts';
import { NightmillError } from '../../errors.ts';
import { storeKeys } from '../../store/store-keys.ts';
import { type Correction, readCorrections } from './corrections.ts';
import { type GoldenLine, goldenLines } from './golden.ts';

/** Texts of one read at a time. */
const READ_AT_ONCE = 32;

export interface GoldenAdded {
  readonly workflow: string;
  readonly added: number;
  readonly replaced: number;
}

/**
 * Adds rows that a person has looked at to the golden set of their workflow, in the store. Each line is an object of its own, so that two people
 * cannot overwrite each other's; one with an id that is there already takes its place.
 *
 * @throws {NightmillError} as `goldenLines`
 */
export async function addGolden(app: App, batchId: string, corrections: readonly Correction[]): Promise<GoldenAdded> {
  const lines = await goldenLines(app, batchId, corrections);
  const workflow = (await app.slices.submission(batchId)).workflow.name;
  let replaced = 0;
  for (const line of lines) {
    const key = storeKeys.golden(workflow, hashOf(line.id));
    if ((await app.store.head(key)) !== undefined) replaced += 1;
    const stored: StoredLine = { ...line, batch: batchId };
    await app.store.put(key, Buffer.from(JSON.stringify(stored)));
  }
  return { workflow, added: lines.length - replaced, replaced };
}

/** As the store has it: whose document it was, so that it can leave with it. */
type StoredLine = GoldenLine & { readonly batch: string };

function hashOf(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, 32);
}

/** The golden set of a workflow in the store, by the hashes of its ids. */
export async function readGolden({ store }: Pick<App, 'store'>, workflow: string): Promise<readonly GoldenLine[]> {
  const stored = await readStored(store, storeKeys.goldenOf(workflow));
  return stored.map(({ line: { batch: _, ...line } }) => line);
}

/** Keys of the lines that were made of documents of these batches. */
export async function goldenKeysOf(
  { store }: Pick<App, 'store'>,
  batchIds: readonly string[],
): Promise<readonly string[]> {
  const stored = await readStored(store, storeKeys.goldenAll);
  return stored.filter(({ line }) => batchIds.includes(line.batch)).map(({ key }) => key);
}

async function readStored(
  store: App['store'],
  prefix: string,
): Promise<readonly { readonly key: string; readonly line: StoredLine }[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  const lines: { key: string; line: StoredLine }[] = [];
  for (let at = 0; at < keys.length; at += READ_AT_ONCE) {
    const read = keys.slice(at, at + READ_AT_ONCE).map(async (key) => ({ key, body: await store.get(key) }));
    for (const { key, body } of await Promise.all(read)) {
      if (body !== undefined) lines.push({ key, line: JSON.parse(Buffer.from(body).toString('utf8')) as StoredLine });
    }
  }
  return lines;
}

/**
 * The corrections in a filled-in table.
 *
 * @param name of the table, for messages
 * @throws {NightmillError} `input_invalid`
 */
export function correctionsIn(bytes: Uint8Array, name: string): readonly Correction[] {
  const reading = readCorrections(bytes);
  if (reading.kind === 'bad') {
    throw new NightmillError('input_invalid', `Cannot use ${name}: line ${reading.line} ${reading.problem}.`);
  }
  if (reading.corrections.length > 0) return reading.corrections;
  throw new NightmillError(
    'input_invalid',
    `Cannot use ${name}: its column "correct" is empty. Write ok, or what is right, into some rows.`,
  );
}
