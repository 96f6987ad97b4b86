import type { Command } from 'commander';
import type { Config } from '../../../config/config.ts';
import { readEnvironment } from '../../../config/environment.ts';
import { version } from '../../../config/version.ts';
import { openModelClient } from '../../adapters/open-model-client.ts';
import { openStore } from '../../adapters/open-store.ts';
import { probeProvider } from '../../adapters/provider-probe.ts';
import { openApp } from '../../app.ts';
import type { Check } from '../../doctor/check.ts';
import { checkEverything } from '../../doctor/doctor.ts';
import { QUARTERLY_REVIEW, type ReadyBox, readyBoxes } from '../../doctor/ready.ts';
import { NightmillError } from '../../errors.ts';
import { nanoToDecimal } from '../../money/money.ts';
import { probeProvider as probeInLedger } from '../../operations/evidence/probe-provider.ts';
import { readFindings } from '../../operations/findings.ts';
import type { ModelSpec } from '../../workflows/workflow.ts';
import { readReadiness } from '../read-readiness.ts';
import { announcer, type GlobalOptions, globalOptions, openLog, print, readConfig } from '../with-app.ts';

const MARKS: Readonly<Record<Check['state'], string>> = { ok: 'ok     ', warning: 'warning', failed: 'FAILED ' };

export function addDoctorCommand(program: Command): void {
  const command = program
    .command('doctor')
    .description('check every dependency and say how to fix what is wrong')
    .option('--provider <name>', 'check what one provider can do, with one small paid call')
    .option('--model <name>', 'with this model of it; default: its first in the config')
    .option('--ready', 'the checklist before production, each box with its evidence; exit code 1 while one is open')
    .option('--review', 'what to look at each quarter')
    .action(async ({ provider, model, ready, review }: DoctorFlags) => {
      const options = globalOptions(command);
      if (review === true) {
        print(options, { review: QUARTERLY_REVIEW }, () => QUARTERLY_REVIEW.map((line) => `[ ] ${line}\n`).join(''));
        return;
      }
      if (ready === true) {
        await checkReady(options, readConfig(options));
        return;
      }
      const config = readConfig(options, provider === undefined ? 'leave' : 'refuse');
      if (provider !== undefined) await checkOneProvider(options, config, provider, model);
      else if (model === undefined) await checkAll(options, config);
      else throw new NightmillError('usage', 'Cannot check a model alone: name its provider too, with --provider.');
    });
}

interface DoctorFlags {
  readonly provider?: string;
  readonly model?: string;
  readonly ready?: boolean;
  readonly review?: boolean;
}

/** Looks at files and the store: no call is made, and Redis is not opened. */
async function checkReady(options: GlobalOptions, config: Config): Promise<void> {
  const boxes = readyBoxes(await readReadiness(config, () => openStore(config.store), Date.now()));
  const open = boxes.filter(({ isDone }) => !isDone).length;
  const value = {
    ready: open === 0,
    open,
    boxes: boxes.map(({ workflow, name, isDone, detail, next }) => ({
      name: workflow === undefined ? name : `${workflow}: ${name}`,
      done: isDone,
      detail,
      ...(next === undefined ? {} : { next }),
    })),
  };
  print(options, value, () => readyText(config, boxes, open));
  process.exitCode = open === 0 ? 0 : 1;
}

function readyText(config: Config, boxes: readonly ReadyBox[], open: number): string {
  const lines = boxes.flatMap(({ workflow, name, isDone, detail, next }, index) => [
    ...(boxes[index - 1]?.workflow === workflow
      ? []
      : ['', workflow === undefined ? 'all workflows, written in readiness.yaml' : `workflow ${workflow}`]),
    `${isDone ? '[x]' : '[ ]'} ${name.padEnd(14)} ${detail}`,
    ...(next === undefined ? [] : [`${' '.repeat(19)}${next}`]),
  ]);
  const config_ = config.file ?? 'no config file: the embedded defaults; nightmill init writes one';
  return [
    `Before production: ${config_}`,
    '',
    ...lines,
    '',
    open === 0
      ? 'ready: every box has its evidence'
      : `not ready: ${open} of ${boxes.length} boxes are open; the line under each says what to do`,
    '',
  ].join('\n');
}

async function checkAll(options: GlobalOptions, config: Config): Promise<void> {
  const log = openLog(options, config, 'silent');
  const announce = announcer(options);
  const checks = await checkEverything({
    config,
    now: Date.now(),
    version: version(),
    openStore: () => openStore(config.store),
    openApp: async () => {
      const app = await openApp({ config, log, announce, searchPath: readEnvironment().searchPath });
      return { ...app, findings: () => readFindings(app) };
    },
    probeProvider,
  });
  report(options, checks, { checks });
}

async function checkOneProvider(
  options: GlobalOptions,
  config: Config,
  name: string,
  modelName: string | undefined,
): Promise<void> {
  const provider = config.providers.get(name);
  if (provider === undefined) throw unknown('provider', name, [...config.providers.keys()]);
  const model = modelOf(config, name, modelName);
  const client = openModelClient(provider);
  try {
    await using app = await openApp({
      config,
      log: openLog(options, config, 'warn'),
      announce: announcer(options),
      searchPath: readEnvironment().searchPath,
    });
    const signal = AbortSignal.timeout(provider.timeoutMs);
    const { costNano, checks, ...found } = await probeInLedger(app, { provider, model, client, signal });
    const cost = costNano === undefined ? null : Number(nanoToDecimal(costNano));
    report(options, checks, { ...found, costUsd: cost, checks });
  } finally {
    await client.close();
  }
}

function modelOf(config: Config, provider: string, name: string | undefined): ModelSpec {
  const models = [...config.models.values()].filter((model) => model.provider === provider);
  const model = name === undefined ? models[0] : models.find((one) => one.name === name);
  if (model !== undefined) return model;
  if (name !== undefined)
    throw unknown(
      `model of provider ${provider}`,
      name,
      models.map((one) => one.name),
    );
  throw new NightmillError('usage', `Provider ${provider} has no model in the config to ask: add one under models:.`);
}

function unknown(what: string, name: string, known: readonly string[]): NightmillError {
  const list = known.join(', ') || 'none';
  return new NightmillError(
    'usage',
    `There is no ${what} named ${JSON.stringify(name)} in the config; known: ${list}.`,
  );
}

function report(options: GlobalOptions, checks: readonly Check[], value: object): void {
  const ok = checks.every((check) => check.state !== 'failed');
  print(options, { ok, ...value }, () =>
    [...checks.map(({ name, state, detail }) => `${MARKS[state]}  ${name.padEnd(22)} ${detail}`), ''].join('\n'),
  );
  process.exitCode = ok ? 0 : 1;
}
