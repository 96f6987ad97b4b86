import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The append-only files of a Redis server, in the order in which they were written. */
export function aofFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.aof'))
    .sort()
    .map((name) => join(folder, name));
}

/** Every write of a server in order; an unfinished command at the end is left out, as the server does. */
export function* readCommands(bytes: Buffer): Generator<readonly Buffer[]> {
  let at = 0;
  const readNumber = (): number => {
    const end = bytes.indexOf('\r\n', at);
    if (end < 0) return Number.NaN;
    const value = Number(bytes.toString('latin1', at + 1, end));
    at = end + 2;
    return value;
  };
  while (at < bytes.length) {
    if (bytes[at] !== 0x2a) throw new Error(`The append-only file has something else than a command at byte ${at}`);
    const parts: Buffer[] = [];
    for (let left = readNumber(); left > 0; left -= 1) {
      const length = readNumber();
      parts.push(bytes.subarray(at, at + length));
      at += length + 2;
    }
    if (Number.isNaN(at) || at > bytes.length) return;
    yield parts;
  }
}

/** Fields and values of an HSET. */
export function* fieldsOf(command: readonly Buffer[]): Generator<readonly [field: string, value: string]> {
  for (let at = 2; at + 1 < command.length; at += 2) yield [String(command[at]), String(command[at + 1])];
}

/** A call that Redis let go out. */
export interface AdmittedCall {
  /** What was held for it, in nano-dollars. */
  readonly held: number;
  readonly batchId: string;
  readonly slice: number;
  /** The same for calls that ask the same. */
  readonly callKey: string | undefined;
}

/** Every call that was admitted, by its id. */
export function admittedCalls(folder: string): Map<string, AdmittedCall> {
  const calls = new Map<string, AdmittedCall>();
  for (const [, id, record] of writtenFields(folder, 'holds')) {
    const { batchId, slice, callKey } = readHold(record);
    calls.set(id, { held: Number.parseInt(record, 10), batchId, slice, callKey });
  }
  return calls;
}

/** `batch:slice` of everything that was ever committed. */
export function committedSlices(folder: string): Set<string> {
  return new Set([...writtenFields(folder, 'slices')].map(([batchId, slice]) => `${batchId}:${slice}`));
}

/** Every call that was admitted but those that a committed slice pays for: of calls that ask the same, the last one. */
export function callsOutsideRows(folder: string): Map<string, AdmittedCall> {
  const committed = committedSlices(folder);
  const replies = [...writtenFields(folder, 'journal')].filter(([name]) => committed.has(name));
  const paid = new Set(replies.map(([name, callKey]) => `${name} ${callKey}`));
  const calls = admittedCalls(folder);
  for (const [id, { batchId, slice, callKey }] of [...calls].reverse()) {
    if (paid.delete(`${batchId}:${slice} ${callKey}`)) calls.delete(id);
  }
  return calls;
}

/** Every field that was written to keys of a kind: what the key is called after its kind, field and value. */
function* writtenFields(
  folder: string,
  kind: string,
): Generator<readonly [name: string, field: string, value: string]> {
  for (const file of aofFiles(folder)) {
    for (const command of readCommands(readFileSync(file))) {
      if (String(command[0]).toUpperCase() !== 'HSET') continue;
      const name = new RegExp(`^\\{[^}]*\\}:${kind}:(.*)$`).exec(String(command[1]))?.[1];
      if (name === undefined) continue;
      for (const [field, value] of fieldsOf(command)) yield [name, field, value];
    }
  }
}

/** @param record `amount|{"batchId", "slice", "callKey", …}`, with what it took of a quota behind it */
export function readHold(record: string): {
  readonly batchId: string;
  readonly slice: number;
  readonly callKey?: string;
  /** Milliseconds since the epoch. */
  readonly at?: number;
} {
  return JSON.parse(record.slice(record.indexOf('|') + 1, record.lastIndexOf('}') + 1));
}
