import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { type Command, Option } from 'commander';
import { readEnvironment } from '../../../config/environment.ts';
import { loadConfig } from '../../../config/load.ts';
import { NightmillError } from '../../errors.ts';
import { formatUsd, type NanoUsd } from '../../money/money.ts';
import { readingOf } from '../../operations/input-reading.ts';
import { openInputs } from '../../operations/open-inputs.ts';
import { planDocuments } from '../../operations/plan-documents.ts';
import { readBudget, readNames } from '../../operations/submit-values.ts';
import { lookAround, proposeFor, type Surroundings } from '../../setup/look-around.ts';
import type { FieldProposal } from '../../setup/propose-fields.ts';
import { canRun, cascadeOf, SETUP_TASKS, type SetupChoices, tableOf, writeConfig } from '../../setup/write-config.ts';
import type { TaskName } from '../../tasks/tasks.ts';
import { globalOptions, print } from '../with-app.ts';

const CONFIG_FILE = 'nightmill.yaml';
const DEFAULT_BATCH_USD = '5.00';

interface InitFlags {
  readonly task?: TaskName;
  readonly from?: string;
  readonly labels?: string;
  readonly yes?: boolean;
}

export function addInitCommand(program: Command): void {
  const command = program
    .command('init')
    .description(`write a ${CONFIG_FILE} that runs, from the keys and servers that are here; nothing is overwritten`)
    .argument('[folder]', 'where to write it; default: here')
    .addOption(new Option('--task <task>', 'what is to be done; default: classify').choices(SETUP_TASKS))
    .option(
      '--from <file>',
      'look at its first documents: columns, labels, language, personal data, and what it would cost',
    )
    .option('--labels <list>', 'classify: labels, with commas')
    .option('-y, --yes', 'ask nothing');
  command.action(async (folder: string | undefined, flags: InitFlags) => {
    const options = globalOptions(command);
    const file = resolve(folder ?? '.', CONFIG_FILE);
    refuseExisting(file);
    const surroundings = await lookAround(readEnvironment().all);
    const fields = flags.from === undefined || hasNoFields(flags.task) ? undefined : await readProposal(flags.from);
    const isAsked = flags.yes !== true && options.json !== true && process.stdin.isTTY && process.stdout.isTTY;
    const choices = await choose(surroundings, fields, flags, isAsked);
    refuseWithoutModel(choices);
    const text = writeConfig(choices);
    mkdirSync(resolve(folder ?? '.'), { recursive: true });
    writeFileSync(file, text, { flag: 'wx' });
    const cost = flags.from === undefined ? undefined : await costOf(file, choices.task, flags.from);
    const shown = relative(process.cwd(), file) || CONFIG_FILE;
    const { clouds, byHand, server } = surroundings;
    const found = {
      keys: [...clouds, ...byHand].map(({ key }) => key),
      ...(server === undefined ? {} : { server: { url: server.baseUrl, model: server.modelId } }),
      ...(fields === undefined ? {} : { fields }),
    };
    const cascade = cascadeOf(choices).map(({ model }) => model);
    print(
      options,
      { file, task: choices.task, cascade, found, ...(cost === undefined ? {} : { cost: cost.json }) },
      () =>
        [
          ...surroundingsText(surroundings),
          ...(fields === undefined || hasNoFields(choices.task)
            ? []
            : fieldsText(flags.from ?? '', fields, clouds.length > 0)),
          `wrote      ${shown}: workflow ${choices.task}, asks ${cascade.join(', then ')}`,
          ...(cost === undefined ? [] : [cost.text]),
          `next       ${nextCommand(folder, 'doctor')}`,
          `           ${nextCommand(folder, `run ${inputFrom(folder, flags.from)} -w ${choices.task} -o out`)}`,
          '',
        ].join('\n'),
    );
  });
}

function refuseExisting(file: string): void {
  const folder = dirname(file);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === false) {
    throw new NightmillError(
      'usage',
      `Cannot write ${CONFIG_FILE} to ${folder}: it is a file. To look at its documents: nightmill init --from ${basename(folder)}`,
    );
  }
  if (!existsSync(file)) return;
  throw new NightmillError(
    'usage',
    `${file} is there already and is not overwritten: move it away, or name another folder.`,
  );
}

/** Whole requests have no columns. */
function hasNoFields(task: string | undefined): boolean {
  const known = SETUP_TASKS.find((name) => name === task);
  return known !== undefined && tableOf(known).sendsAsIs === true;
}

async function readProposal(input: string): Promise<FieldProposal> {
  const fields = await proposeFor(input, process.cwd());
  if (fields !== undefined) return fields;
  throw new NightmillError('input_invalid', `Cannot propose anything from ${input}: no column of it holds text.`);
}

/** At most four questions, each with a default that Enter takes. */
async function choose(
  { clouds, byHand, server }: Surroundings,
  fields: FieldProposal | undefined,
  flags: InitFlags,
  isAsked: boolean,
): Promise<SetupChoices> {
  const terminal = isAsked ? createInterface({ input: process.stdin, output: process.stdout }) : undefined;
  const ask = async (question: string, fallback: string): Promise<string> =>
    (await terminal?.question(`${question} [${fallback}]: `))?.trim() || fallback;
  try {
    const task = readTask(flags.task ?? (await ask(`Task (${SETUP_TASKS.join(', ')})`, 'classify')));
    const known = flags.labels ?? fields?.labels?.values.join(', ');
    const labels =
      tableOf(task).setup?.hasLabels === true && terminal !== undefined
        ? await ask('Labels', known ?? '(examples)')
        : known;
    const batchLimit = readLimit(await ask('US dollars that a batch may cost', DEFAULT_BATCH_USD));
    return {
      task,
      clouds,
      ...(server === undefined ? {} : { server }),
      ...(byHand.length === 0 ? {} : { unused: byHand.map(({ key, byHand: what }) => `${key} is set, but ${what}`) }),
      ...(fields === undefined ? {} : { fields }),
      ...(labels === undefined || labels === '(examples)' || labels === fields?.labels?.values.join(', ')
        ? {}
        : { labels: readLabels(labels) }),
      batchLimit,
      today: new Date().toISOString().slice(0, 10),
    };
  } finally {
    terminal?.close();
  }
}

function readTask(text: string): TaskName {
  const found = SETUP_TASKS.find((known) => text === known);
  if (found !== undefined) return found;
  throw new NightmillError(
    'usage',
    `Cannot set up the task ${JSON.stringify(text)}: use one of ${SETUP_TASKS.join(', ')}.`,
  );
}

function readLabels(text: string): readonly string[] {
  const labels = readNames(text);
  if (labels.length >= 2) return labels;
  throw new NightmillError('usage', `Cannot use ${JSON.stringify(text)} as labels: name at least two, with commas.`);
}

function readLimit(text: string): NanoUsd {
  const limit = readBudget(text) ?? 0;
  if (limit > 0) return limit;
  throw new NightmillError('usage', `Cannot use ${JSON.stringify(text)} as a limit: use a number of dollars above 0.`);
}

function refuseWithoutModel(choices: SetupChoices): void {
  if (canRun(choices)) return;
  throw new NightmillError(
    'usage',
    `No model here can ${choices.task}: set a key, such as OPENAI_API_KEY, or start a server such as Ollama, and run it again.`,
  );
}

function surroundingsText({ clouds, byHand, server, empty }: Surroundings): readonly string[] {
  const usable = clouds.length === 0 ? [] : [`${clouds.map(({ key }) => key).join(', ')} (set; not read further)`];
  const others = byHand.map(({ key, byHand: what }) => `${key} is set, but ${what}: see docs/providers.md`);
  const keys = [...usable, ...others];
  return [
    ...(keys.length === 0 ? ['none is set'] : keys).map((line, at) => `${(at === 0 ? 'keys' : '').padEnd(10)} ${line}`),
    ...empty.map(
      ({ name, baseUrl }) => `server     ${name} at ${baseUrl} has no model that could answer: load one to use it`,
    ),
    ...(server === undefined ? [] : [`server     ${server.name} at ${server.baseUrl} with ${server.modelId}`]),
  ];
}

function fieldsText(
  input: string,
  { text, id, labels, isEnglish, sensitive }: FieldProposal,
  leaves: boolean,
): readonly string[] {
  return [
    `${'documents'.padEnd(10)} ${input}: text in ${text}${id === undefined ? '' : `, id in ${id}`}`,
    ...(labels === undefined ? [] : [`labels     ${labels.values.join(', ')} (column ${labels.column})`]),
    ...(isEnglish ? [] : ['language   not English, so the built-in model is left out']),
    ...(sensitive.length === 0
      ? []
      : [
          `personal   ${sensitive.map(({ rule, texts }) => `${rule} (in ${texts} texts)`).join(', ')}` +
            (leaves ? ': hidden before a text leaves' : ''),
        ]),
  ];
}

/** What a night of the whole file would cost, as `plan` says it. */
async function costOf(file: string, workflow: string, input: string) {
  const config = loadConfig({ file, env: readEnvironment().all, cwd: process.cwd(), missingSecrets: 'leave' });
  await using opened = await openInputs(
    config,
    { names: [input] },
    readingOf({}, config.workflows.get(workflow)?.input),
  );
  const { plan } = await planDocuments(config, { workflow, opened, now: Date.now() });
  const { low, expected, worst } = plan.cost;
  return {
    json: {
      documents: plan.documents,
      lowUsd: formatUsd(low),
      expectedUsd: formatUsd(expected),
      worstUsd: formatUsd(worst),
    },
    text:
      `cost       ${plan.documents.toLocaleString('en')} documents: about ${formatUsd(expected)}, ` +
      `${formatUsd(low)} at least, ${formatUsd(worst)} at worst (guessed: nothing was answered yet)`,
  };
}

function nextCommand(folder: string | undefined, rest: string): string {
  return `${folder === undefined ? '' : `cd ${join(folder)} && `}nightmill ${rest}`;
}

/** The input as it is named from the folder of the config. */
function inputFrom(folder: string | undefined, input: string | undefined): string {
  if (input === undefined) return 'INPUT';
  return folder === undefined || isAbsolute(input) ? input : relative(resolve(folder), resolve(input));
}
