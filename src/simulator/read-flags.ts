import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { SimulatorOptions } from './options.ts';
import { SimulatorOptionsError } from './resolve-options.ts';

const SIMULATOR_USAGE = `Usage: simulate [--options FILE.json] [--port N] [--host HOST] [--seed N] [--api-key KEY]
  [--bill FILE.jsonl] [--truth FILE.jsonl] [--token-counting exact|bytes/4] [--prompt-cache] [--hang-bills]
  [--fault NAME=RATE]...
A flag wins over the file. docs/simulator.md explains the options.`;

/**
 * Options from command-line flags, on top of a JSON file where `--options` names one.
 *
 * @throws {SimulatorOptionsError} an unknown flag, a value that is no number, an unreadable file
 */
export function readSimulatorFlags(args: readonly string[]): SimulatorOptions {
  const flags = parse(args);
  const file = flags.options === undefined ? {} : readOptionsFile(flags.options);
  const faults = (flags.fault ?? []).map((text) => {
    const [name = '', rate = ''] = text.split('=');
    return [name, toNumber(`--fault ${name}`, rate)];
  });
  return {
    ...file,
    ...(flags.port === undefined ? {} : { port: toNumber('--port', flags.port) }),
    ...(flags.host === undefined ? {} : { host: flags.host }),
    ...(flags.seed === undefined ? {} : { seed: toNumber('--seed', flags.seed) }),
    ...(flags['api-key'] === undefined ? {} : { apiKey: flags['api-key'] }),
    ...(flags.bill === undefined ? {} : { billFile: flags.bill }),
    ...(flags.truth === undefined ? {} : { truthFile: flags.truth }),
    // Checked with all the other options, which may come from a file as well.
    ...(flags['token-counting'] === undefined ? {} : { tokenCounting: flags['token-counting'] as 'exact' }),
    ...(flags['prompt-cache'] === undefined ? {} : { promptCache: flags['prompt-cache'] }),
    ...(flags['hang-bills'] === undefined ? {} : { hangBills: flags['hang-bills'] }),
    ...(faults.length === 0 ? {} : { faults: { ...file.faults, ...Object.fromEntries(faults) } }),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        options: { type: 'string' },
        port: { type: 'string' },
        host: { type: 'string' },
        seed: { type: 'string' },
        'api-key': { type: 'string' },
        bill: { type: 'string' },
        truth: { type: 'string' },
        'token-counting': { type: 'string' },
        'prompt-cache': { type: 'boolean' },
        'hang-bills': { type: 'boolean' },
        fault: { type: 'string', multiple: true },
      },
    }).values;
  } catch (error) {
    throw new SimulatorOptionsError([`${messageOf(error)}\n${SIMULATOR_USAGE}`]);
  }
}

function readOptionsFile(path: string): SimulatorOptions {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as SimulatorOptions;
  } catch (error) {
    throw new SimulatorOptionsError([`--options: cannot read ${path} as JSON: ${messageOf(error)}`]);
  }
}

function toNumber(flag: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new SimulatorOptionsError([`${flag}: must be a number, is ${JSON.stringify(text)}`]);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
