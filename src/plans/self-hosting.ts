import { formatUsd, MAX_NANO_USD, type NanoUsd, usdJson } from '../money/money.ts';
import { DAYS_PER_MONTH } from '../money/price-table.ts';

const SECONDS_PER_HOUR = 3_600;

export interface GpuOffer {
  /** Of one GPU, whether it works or not. */
  readonly usdPerMonth: NanoUsd;
  /** Of one GPU at full load, input and output together. */
  readonly tokensPerSecond: number;
  /** Hours of each day in which it may work, 0 to 24. */
  readonly hoursPerDay: number;
}

/** What is asked of a model in a month, and what a provider takes for that. */
export interface MonthlyLoad {
  /** Requests or documents. */
  readonly requests: number;
  /** Of one, input and output together. */
  readonly tokensPerRequest: number;
  readonly apiCost: NanoUsd;
}

export interface SelfHosting {
  readonly tokensPerMonth: number;
  readonly tokensPerGpu: number;
  /** Not rounded: 1.54 GPUs are 2. */
  readonly gpusExact: number;
  readonly gpus: number;
  readonly gpuCost: NanoUsd;
  readonly apiCost: NanoUsd;
  /** A month; below 0: own GPUs cost more. */
  readonly saved: NanoUsd;
  /** Requests per month from which on GPUs cost no more; undefined: at no volume, because even a full GPU costs more a token. */
  readonly paysFrom: { readonly requests: number; readonly gpus: number } | undefined;
}

/** Own GPUs against a provider, for the same requests. GPUs come whole. */
export function selfHosting(load: MonthlyLoad, offer: GpuOffer): SelfHosting {
  const tokensPerMonth = load.requests * load.tokensPerRequest;
  const tokensPerGpu = offer.tokensPerSecond * SECONDS_PER_HOUR * offer.hoursPerDay * DAYS_PER_MONTH;
  const gpusExact = tokensPerMonth / tokensPerGpu;
  const gpus = Math.ceil(gpusExact);
  const gpuCost = Math.min(MAX_NANO_USD, gpus * offer.usdPerMonth);
  return {
    tokensPerMonth,
    tokensPerGpu,
    gpusExact,
    gpus,
    gpuCost,
    apiCost: load.apiCost,
    saved: load.apiCost - gpuCost,
    paysFrom: paysFrom(load, offer, tokensPerGpu),
  };
}

/** The first GPU pays when the provider would take its price; if it is full before that, no number of them ever pays. */
function paysFrom(load: MonthlyLoad, offer: GpuOffer, tokensPerGpu: number): SelfHosting['paysFrom'] {
  const costPerRequest = load.apiCost / load.requests;
  if (costPerRequest === 0) return undefined;
  const requests = Math.ceil(offer.usdPerMonth / costPerRequest);
  return requests * load.tokensPerRequest <= tokensPerGpu ? { requests, gpus: 1 } : undefined;
}

/** As `prices --json` and `compare --json` have it. */
export function selfHostingJson({ gpuCost, apiCost, saved, paysFrom: from, ...figures }: SelfHosting): object {
  return {
    ...figures,
    gpuUsd: usdJson(gpuCost),
    providerUsd: usdJson(apiCost),
    savedUsd: usdJson(saved),
    paysFrom: from ?? null,
  };
}

/** Each step of it, for people who check. `what`: the plural of what is asked, such as requests. */
export function selfHostingSteps(load: MonthlyLoad, offer: GpuOffer, what: string): readonly string[] {
  const result = selfHosting(load, offer);
  const { tokensPerMonth, tokensPerGpu, gpusExact, gpus, gpuCost, apiCost, saved } = result;
  const perMillion = Math.round((apiCost / tokensPerMonth) * 1_000_000);
  return [
    `tokens     ${count(load.requests)} ${what} × ${count(load.tokensPerRequest)} tokens = ${count(tokensPerMonth)} a month`,
    `provider   ${count(tokensPerMonth / 1_000_000)} million tokens × ${formatUsd(perMillion)} = ${formatUsd(apiCost)} a month`,
    `one GPU    ${count(offer.tokensPerSecond)} tokens/s × 3,600 s × ${offer.hoursPerDay} h × ${DAYS_PER_MONTH} days = ${count(tokensPerGpu)} tokens per month`,
    `GPUs       ${count(tokensPerMonth)} / ${count(tokensPerGpu)} = ${gpusExact.toFixed(2)}, so ${gpus}`,
    `own        ${gpus} × ${formatUsd(offer.usdPerMonth)} = ${formatUsd(gpuCost)} a month`,
    saved >= 0
      ? `difference ${formatUsd(apiCost)} - ${formatUsd(gpuCost)} = ${formatUsd(saved)} a month less with own GPUs`
      : `difference ${formatUsd(gpuCost)} - ${formatUsd(apiCost)} = ${formatUsd(-saved)} a month more with own GPUs`,
    paysFromText(result, load, offer, what),
  ];
}

function paysFromText(
  { paysFrom: from, tokensPerGpu, apiCost, tokensPerMonth }: SelfHosting,
  { tokensPerRequest }: MonthlyLoad,
  { usdPerMonth }: GpuOffer,
  what: string,
): string {
  const ofMillion = (cost: NanoUsd, tokens: number) => formatUsd(Math.round((cost / tokens) * 1_000_000));
  const provider = ofMillion(apiCost, tokensPerMonth);
  if (from === undefined) {
    return `pays       at no volume: a full GPU costs ${ofMillion(usdPerMonth, tokensPerGpu)} a million tokens, the provider ${provider}`;
  }
  return (
    `pays       from ${formatUsd(usdPerMonth)} / ${provider} a million = ${count(from.requests * tokensPerRequest)} tokens = ` +
    `${count(from.requests)} ${what} per month on, with one GPU; not counted: people, power and idle nights`
  );
}

function count(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 2 });
}
