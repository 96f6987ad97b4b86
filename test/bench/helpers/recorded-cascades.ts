import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Records, readRecords } from '../../../src/calibration/records.ts';

/** Recorded answers lie beside the project, because not all of them may be passed on. */
export const CASCADES_FOLDER = fileURLToPath(new URL('../../../../shared/data/cascades/', import.meta.url));

/** Undefined where the file is not there. */
export function readCascadeSet(folder: string, name: string): Records | undefined {
  const file = `${folder}/${name}.jsonl`;
  if (!existsSync(file)) return undefined;
  const reading = readRecords(readFileSync(file, 'utf8'));
  if (reading.kind === 'bad') throw new Error(`${file}, line ${reading.line} ${reading.problem}`);
  return reading.records;
}
