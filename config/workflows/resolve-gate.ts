import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import type { GateRules } from '../../src/evaluation/gate.ts';
import type { RawConfig } from '../schema.ts';
import { readText } from './read-text.ts';

/**
 * The rules of a workflow's gate, with the hash of its golden set.
 *
 * @param folder the config's
 */
export function resolveGate(
  { gate }: RawConfig['workflows'][string],
  at: string,
  folder: string,
  problems: string[],
): GateRules | undefined {
  if (gate === undefined) return undefined;
  const read = readText(resolve(folder, gate.golden), `${at}.gate.golden`, problems);
  if (read === undefined) return undefined;
  return {
    golden: read.path,
    goldenSha256: createHash('sha256').update(read.text).digest('hex'),
    maxDrop: gate.maxDrop,
    ...(gate.maxAgeDays === undefined ? {} : { maxAgeDays: gate.maxAgeDays }),
  };
}
