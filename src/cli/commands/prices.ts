import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { BUILT_IN_CATALOGUE, type Catalogue } from '../../../config/catalogue.ts';
import type { Config } from '../../../config/config.ts';
import { mergePriceLists, parsePriceList, priceListFile } from '../../../config/price-list.ts';
import { NightmillError } from '../../errors.ts';
import { formatUsd, type NanoUsd, usdJson, usdToNano } from '../../money/money.ts';
import { daysSince, mixCost, PRICE_LIST_DAYS, type RequestMix } from '../../money/price-table.ts';
import { type PricedModel, pricedModels } from '../../operations/price-list.ts';
import { type MonthlyLoad, selfHosting, selfHostingJson, selfHostingSteps } from '../../plans/self-hosting.ts';
import { makeFolder } from '../../runtime/make-folder.ts';
import { addGpuOptions, type GpuFlags, readGpuOffer } from '../gpu-options.ts';
import { type GlobalOptions, globalOptions, print, readConfig } from '../with-app.ts';

interface PriceFlags extends GpuFlags {
  readonly requests?: string;
  readonly input?: string;
  readonly output?: string;
  readonly price?: string;
  readonly history?: boolean;
}

export function addPricesCommand(program: Command): void {
  const command = program
    .command('prices')
    .description('the dated price list; what so many requests would cost with each model')
    .argument('[model...]', 'only models with this in their name')
    .option('--requests <n>', 'price so many requests')
    .option('--input <tokens>', 'input tokens of one request; default 1500')
    .option('--output <tokens>', 'output tokens of one request; default 500')
    .option('--price <in/out>', 'also at this price, USD per million tokens, e.g. 0.10/0.30')
    .option('--history', 'with the prices of before');
  addGpuOptions(command).action((names: string[], flags: PriceFlags) => {
    const options = globalOptions(command);
    showPrices(options, readConfig(options), names, flags);
  });
  command
    .command('update <file>')
    .description('renew the price list from a JSON file: checked, then kept in .nightmill/prices.json')
    .action((file: string) => {
      const options = globalOptions(command);
      updatePrices(options, readConfig(options), file);
    });
}

function showPrices(options: GlobalOptions, { prices }: Config, names: readonly string[], flags: PriceFlags): void {
  const mix = readMix(flags);
  const offer = readGpuOffer(flags);
  // A stated price beside own GPUs is the whole question: the list stays out.
  const isAboutPrice = offer !== undefined && flags.price !== undefined && names.length === 0;
  const models = isAboutPrice ? [] : pricedModels(prices, names, mix);
  if (!isAboutPrice && models.length === 0) {
    throw new NightmillError(
      'usage',
      `The price list of ${prices.asOf} has no model with ${names.join(' or ')} in its name; nightmill prices lists all.`,
    );
  }
  const stated = flags.price === undefined ? undefined : readPrice(flags.price);
  const statedCost = stated === undefined || mix === undefined ? undefined : mixCost(stated, mix);
  const load = offer === undefined ? undefined : loadOf(mix, statedCost, models);
  const age = daysSince(prices.asOf, Date.now());
  const value = {
    asOf: prices.asOf,
    ageDays: age,
    source: prices.source,
    ...(mix === undefined ? {} : { requests: mix }),
    ...(statedCost === undefined ? {} : { stated: { price: flags.price, costUsd: usdJson(statedCost) } }),
    ...(offer === undefined || load === undefined ? {} : { selfHosting: selfHostingJson(selfHosting(load, offer)) }),
    models: models.map(({ cost, ...model }) => ({
      ...model,
      ...(cost === undefined ? {} : { costUsd: usdJson(cost) }),
    })),
  };
  print(options, value, () =>
    [
      ...(models.length === 0
        ? []
        : [
            `USD per million tokens, ${prices.source}, as of ${prices.asOf} (${age} ${age === 1 ? 'day' : 'days'} ago)`,
          ]),
      ...(mix === undefined
        ? []
        : [
            `cost: ${mix.requests.toLocaleString('en')} requests of ${mix.inputTokens} + ${mix.outputTokens} tokens, nothing cached`,
          ]),
      ...(models.length === 0 ? [] : table(models, mix !== undefined, flags.history === true)),
      ...(statedCost === undefined ? [] : [`at ${flags.price}: ${formatUsd(statedCost)}`]),
      ...(offer === undefined || load === undefined ? [] : selfHostingSteps(load, offer, 'requests')),
      ...(age < PRICE_LIST_DAYS || models.length === 0 ? [] : [ageWarning(prices, age)]),
      '',
    ].join('\n'),
  );
}

/** What the requests of a month cost at the one price that is meant. */
function loadOf(mix: RequestMix | undefined, stated: NanoUsd | undefined, models: readonly PricedModel[]): MonthlyLoad {
  if (mix === undefined) {
    throw new NightmillError(
      'usage',
      'Cannot reckon with own GPUs alone: say how many requests per month, with --requests N.',
    );
  }
  const apiCost = stated ?? (models.length === 1 ? models[0]?.cost : undefined);
  if (apiCost !== undefined) {
    return { requests: mix.requests, tokensPerRequest: mix.inputTokens + mix.outputTokens, apiCost };
  }
  throw new NightmillError(
    'usage',
    'Cannot reckon with own GPUs beside no or several prices: name one model, or give --price IN/OUT (at most $9,000,000 in all).',
  );
}

function ageWarning({ asOf }: Catalogue, age: number): string {
  return `warning: the list of ${asOf} is ${age} days old and prices may have changed; renew it: nightmill prices update FILE (docs/providers.md)`;
}

const HEAD = ['model', 'input', 'cached', 'output', 'window', 'cap', 'as of', 'withdrawn'];

function table(models: readonly PricedModel[], hasCost: boolean, withHistory: boolean): string[] {
  const rows = models.flatMap((model) => [
    [
      `${model.provider} ${model.id}`,
      model.input,
      model.cachedRead ?? '',
      model.output,
      model.contextTokens?.toString() ?? '?',
      model.maxOutputTokens?.toString() ?? '?',
      model.asOf,
      model.withdrawn ?? '',
      ...(hasCost ? [costText(model.cost)] : []),
    ],
    ...(withHistory
      ? model.history.map((past) => [`  until ${past.until}`, past.input, past.cachedRead ?? '', past.output])
      : []),
  ]);
  const all = [[...HEAD, ...(hasCost ? ['cost'] : [])], ...rows];
  const widths = (all[0] ?? []).map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

function costText(cost: NanoUsd | undefined): string {
  return cost === undefined ? 'over $9,000,000' : formatUsd(cost);
}

function readMix({ requests, input, output, price }: PriceFlags): RequestMix | undefined {
  if (requests === undefined) {
    if (input === undefined && output === undefined && price === undefined) return undefined;
    throw new NightmillError('usage', 'Cannot price tokens alone: say how many requests, with --requests N.');
  }
  return {
    requests: wholeNumber('--requests', requests),
    inputTokens: wholeNumber('--input', input ?? '1500'),
    outputTokens: wholeNumber('--output', output ?? '500'),
  };
}

const MOST = 1_000_000_000;

function wholeNumber(flag: string, text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value > 0 && value <= MOST) return value;
  throw new NightmillError(
    'usage',
    `Cannot use ${flag} ${JSON.stringify(text)}: write a whole number from 1 to ${MOST}.`,
  );
}

function readPrice(text: string) {
  const [input, output, ...rest] = text.split('/');
  if (input !== undefined && output !== undefined && rest.length === 0) {
    try {
      const inputPerMillion = usdToNano(input);
      return { inputPerMillion, cachedInputPerMillion: inputPerMillion, outputPerMillion: usdToNano(output) };
    } catch {
      // said below
    }
  }
  throw new NightmillError(
    'usage',
    `Cannot use --price ${JSON.stringify(text)}: write USD per million tokens, as 0.10/0.30.`,
  );
}

function updatePrices(options: GlobalOptions, config: Config, file: string): void {
  const text = readText(file);
  const given = parsePriceList(text, file);
  mergePriceLists(BUILT_IN_CATALOGUE, given);
  const target = priceListFile(config.folder);
  makeFolder(dirname(target));
  const models = Object.values(given.providers).reduce((sum, provider) => sum + Object.keys(provider.models).length, 0);
  // A reader sees the old list or the new one, never half of it.
  writeFileSync(`${target}.new`, text);
  renameSync(`${target}.new`, target);
  print(
    options,
    { file: target, asOf: given.asOf, models },
    () =>
      `${models} prices as of ${given.asOf} are kept in ${target}; batches submitted from this folder use them from now on\n`,
  );
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new NightmillError('usage', `Cannot read the price list ${file}: ${(error as Error).message}.`, {
      cause: error,
    });
  }
}
