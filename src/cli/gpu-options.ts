import type { Command } from 'commander';
import { NightmillError } from '../errors.ts';
import { type NanoUsd, usdToNano } from '../money/money.ts';
import { DAYS_PER_MONTH } from '../money/price-table.ts';
import type { GpuOffer } from '../plans/self-hosting.ts';

export interface GpuFlags {
  readonly gpuMonth?: string;
  readonly gpuHour?: string;
  readonly gpuTokens?: string;
  readonly gpuHours?: string;
}

/** Own GPUs beside a provider's price. */
export function addGpuOptions(command: Command): Command {
  return command
    .option('--gpu-month <usd>', 'beside own GPUs: what one costs a month')
    .option('--gpu-hour <usd>', 'the same by the hour, for the hours that it may work')
    .option('--gpu-tokens <n>', 'tokens per second of one GPU, input and output together')
    .option('--gpu-hours <n>', 'hours of a day in which it may work; default 24');
}

/** @throws {NightmillError} `usage`: half of it is missing, or no number. @returns undefined where no GPU is asked about */
export function readGpuOffer(flags: GpuFlags): GpuOffer | undefined {
  const { gpuMonth, gpuHour, gpuTokens, gpuHours } = flags;
  if ([gpuMonth, gpuHour, gpuTokens, gpuHours].every((flag) => flag === undefined)) return undefined;
  const price = gpuMonth ?? gpuHour;
  if (price === undefined || gpuTokens === undefined || (gpuMonth !== undefined && gpuHour !== undefined)) {
    throw new NightmillError(
      'usage',
      'Cannot reckon with own GPUs: give --gpu-tokens N, and --gpu-month USD or --gpu-hour USD.',
    );
  }
  const hoursPerDay = readNumber('--gpu-hours', gpuHours ?? '24', 24);
  const usd = readUsd(gpuMonth === undefined ? '--gpu-hour' : '--gpu-month', price);
  return {
    usdPerMonth: gpuMonth === undefined ? Math.round(usd * hoursPerDay * DAYS_PER_MONTH) : usd,
    tokensPerSecond: readNumber('--gpu-tokens', gpuTokens, 1_000_000_000),
    hoursPerDay,
  };
}

/** @throws {NightmillError} `usage` */
export function readNumber(flag: string, text: string, most: number): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value > 0 && value <= most) return value;
  throw new NightmillError(
    'usage',
    `Cannot use ${flag} ${JSON.stringify(text)}: write a number above 0, at most ${most}.`,
  );
}

/** @throws {NightmillError} `usage` */
export function readUsd(flag: string, text: string): NanoUsd {
  try {
    return usdToNano(text.replace(/^\$/, ''));
  } catch (error) {
    throw new NightmillError('usage', `Cannot use ${flag}: ${(error as Error).message}.`);
  }
}
