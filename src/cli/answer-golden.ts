import { readFileSync } from 'node:fs';
import type { App } from '../app.ts';
import { ERROR_CODES, NightmillError } from '../errors.ts';
import { stateLimits } from '../worker/state-limits.ts';
import { listenForStop } from '../worker/stop-signals.ts';
import { submitInputs } from './submit-inputs.ts';
import { announcer, type GlobalOptions } from './with-app.ts';
import { workUntilEnd } from './work-and-download.ts';

export interface GoldenFlags {
  readonly workflow: string;
  /** The file with the golden set. */
  readonly golden: string;
  readonly id?: string;
  readonly budget?: string;
  /** In place of the workflow's cascade, as `candidateWorkflow` reads it. */
  readonly candidate?: string;
}

/** As a batch of its own, so that money, quota and journal are those of every batch. Returns its id, or the exit code. */
export async function answerGolden(app: App, options: GlobalOptions, flags: GoldenFlags): Promise<string | number> {
  const announce = announcer(options);
  using stop = listenForStop(announce);
  await stateLimits(app, 'replace');
  const { golden, workflow, id, budget, candidate } = flags;
  const wanted = {
    workflow,
    isEvaluation: true,
    ...(id === undefined ? {} : { id }),
    ...(budget === undefined ? {} : { budget }),
    ...(candidate === undefined ? {} : { candidate }),
  };
  const { batchId } = await submitInputs(app, [golden], wanted, announce, stop.first);
  const { end, status } = await workUntilEnd(app, options, { workflow, batchId, stop });
  if (end === 'ended') return batchId;
  announce(
    `${batchId} is kept, nothing that was paid for is bought twice: ${status.breaker.hold?.reason ?? 'interrupted'}`,
  );
  if (end === 'interrupted') return ERROR_CODES.interrupted.exit;
  return status.breaker.hold?.cause === 'budget' ? 3 : 1;
}

/** @throws {NightmillError} `usage` */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new NightmillError('usage', `Cannot read ${file}: ${(error as Error).message}.`, { cause: error });
  }
}
