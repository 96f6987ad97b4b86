import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { MAX_INSTRUCTION_LENGTH } from '../../src/workflows/setting-values.ts';
import type { RawConfig } from '../schema.ts';

/** A text file that the config names; undefined: it cannot be read, which is a problem. */
export function readText(path: string, at: string, problems: string[]): { path: string; text: string } | undefined {
  try {
    const bytes = readFileSync(path);
    if (isUtf8(bytes)) return { path, text: bytes.toString('utf8') };
    problems.push(`${at}: ${path} is not UTF-8; save it as UTF-8`);
  } catch (error) {
    problems.push(`${at}: cannot read ${path}: ${(error as Error).message}`);
  }
  return undefined;
}

/**
 * What a workflow adds to its prompt, from the config or from the file that it names.
 *
 * @param folder the config's
 */
export function resolveInstructions(
  { instructions, prompt }: Partial<Pick<RawConfig['workflows'][string], 'instructions' | 'prompt'>>,
  at: string,
  folder: string,
  problems: string[],
): string | undefined {
  if (prompt === undefined) return instructions;
  if (instructions !== undefined) {
    problems.push(`${at}.prompt: instructions stand in the config as well; keep one of them`);
  }
  const read = readText(resolve(folder, prompt), `${at}.prompt`, problems);
  if (read === undefined) return undefined;
  const text = read.text.replace(/^\uFEFF/, '').trim();
  if (text === '') problems.push(`${at}.prompt: ${read.path} is empty`);
  if (text.length > MAX_INSTRUCTION_LENGTH) {
    problems.push(
      `${at}.prompt: ${read.path} has ${text.length} characters, and ${MAX_INSTRUCTION_LENGTH} may be added to a prompt`,
    );
  }
  return text;
}
