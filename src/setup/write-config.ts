import { type NanoUsd, nanoToDecimal } from '../money/money.ts';
import type { Task } from '../tasks/task.ts';
import { TASK_NAMES, TASKS, type TaskName } from '../tasks/tasks.ts';
import type { WorkflowSpec } from '../workflows/workflow.ts';
import type { CloudChoice } from './known-models.ts';
import type { FoundServer } from './look-around.ts';
import type { FieldProposal } from './propose-fields.ts';

/** Tasks that a first config can be written for. */
export const SETUP_TASKS = TASK_NAMES.filter((name) => tableOf(name).setup !== undefined);

/** A task of the table, with what only some have. */
export function tableOf(
  name: TaskName,
): Pick<Task<WorkflowSpec>, 'setup' | 'hasNoConfidence' | 'needsPaidTiers' | 'sendsAsIs'> {
  return TASKS[name];
}

/** What a first config is made of. */
export interface SetupChoices {
  readonly task: TaskName;
  /** Clouds whose keys are set, the preferred one first; all have a `large` model. */
  readonly clouds: readonly CloudChoice[];
  /** A server that answers here, with the model to use. */
  readonly server?: FoundServer;
  /** What is set and could not be used, for people, such as `OPENROUTER_API_KEY is set`. Absent: nothing. */
  readonly unused?: readonly string[];
  /** Absent: examples to be replaced. */
  readonly labels?: readonly string[];
  readonly fields?: FieldProposal;
  /** What a batch may cost; four times as much for a day. */
  readonly batchLimit: NanoUsd;
  /** YYYY-MM-DD. */
  readonly today: string;
}

/** The free local model answers at once where it is this sure. */
const LOCAL_ACCEPTS_AT = 0.95;
const CHEAP_ACCEPTS_AT = 0.85;
const DAYS_BUDGET = 4;

interface TierLine {
  readonly model: string;
  readonly acceptAt?: number;
  readonly why: string;
}

/**
 * A config file that runs, with a comment for each decision.
 *
 * @throws {RangeError} no model can do the task: see {@link canRun}
 */
export function writeConfig(given: SetupChoices): string {
  const choices = withUsedFields(given);
  const { task, clouds, server, batchLimit, today } = choices;
  if (!canRun(choices)) throw new RangeError(`No model here can ${task}`);
  return [
    '# yaml-language-server: $schema=node_modules/nightmill/docs/config.schema.json',
    `# Written by nightmill init on ${today}. Everything here can be changed; docs/configuration.md has all settings.`,
    '',
    ...providerLines(choices),
    ...modelLines(choices),
    'workflows:',
    `  ${task}:`,
    `    task: ${task}`,
    ...taskLines(choices),
    ...inputLines(choices),
    `    # Asked in this order: a tier passes on ${tableOf(task).setup?.passesOn ?? 'what it is not sure of'}.`,
    '    cascade:',
    ...cascadeOf(choices).map(tierText),
    ...(clouds.length === 0 && server === undefined
      ? [
          `    # ${choices.unused?.[0] ?? 'No key was set'}: everything is answered on this machine, for nothing. With a key, nightmill init writes more tiers.`,
        ]
      : []),
    '    # USD. No more than this is ever spent: work pauses before the call that would go over it.',
    `    budget: { batch: ${nanoToDecimal(batchLimit)}, day: ${nanoToDecimal(batchLimit * DAYS_BUDGET)} }`,
    '',
  ].join('\n');
}

/** What is sent as it is has no columns to choose, and nothing in it can be hidden. */
function withUsedFields({ fields, ...choices }: SetupChoices): SetupChoices {
  return fields === undefined || tableOf(choices.task).sendsAsIs === true ? choices : { ...choices, fields };
}

/** Whether there is a model for the task: the built-in one extracts no fields. */
export function canRun({ task, clouds, server }: Pick<SetupChoices, 'task' | 'clouds' | 'server'>): boolean {
  return tableOf(task).needsPaidTiers !== true || clouds.length > 0 || server !== undefined;
}

function providerLines({ clouds, server, fields }: SetupChoices): readonly string[] {
  if (clouds.length === 0 && server === undefined) return [];
  const kinds = fields?.sensitive ?? [];
  const policy = kinds.length === 0 ? '' : ', dataPolicy: { location: remote, redact: true }';
  const found = kinds.map(({ rule, texts }) => `${rule} in ${texts}`).join(', ');
  return [
    'providers:',
    ...(clouds.length === 0
      ? []
      : ['  # Keys come from the environment and stand in no file. nightmill doctor tries each one.']),
    ...(policy === '' || clouds.length === 0
      ? []
      : [`  # redact: personal data was seen in the first texts (${found}); it is hidden before a text leaves.`]),
    ...clouds.map(({ preset, key }) => `  ${preset}: { preset: ${preset}, apiKey: "\${${key}}"${policy} }`),
    ...(server === undefined
      ? []
      : [
          `  # It answered at ${server.baseUrl}.`,
          `  ${server.name}: { ${server.preset === undefined ? 'kind: openai' : `preset: ${server.preset}`}, ` +
            `baseUrl: ${JSON.stringify(server.baseUrl)}, dataPolicy: { location: local } }`,
        ]),
    '',
  ];
}

function modelLines({ clouds, server }: SetupChoices): readonly string[] {
  if (clouds.length === 0 && server === undefined) return [];
  const [first, ...others] = clouds;
  const modelOf = (name: string, provider: string, id: string | undefined) =>
    id === undefined ? [] : [`  ${name}: { provider: ${provider}, id: ${JSON.stringify(id)} }`];
  return [
    'models:',
    ...(server === undefined
      ? []
      : [
          '  # It costs nothing a token. An id that may move is allowed here, since the server is your own.',
          `  own: { provider: ${server.name}, id: ${JSON.stringify(server.modelId)}, allowAlias: true, ` +
            `${server.contextTokens === undefined ? '' : `contextTokens: ${server.contextTokens}, `}price: { inputPerMillion: 0, outputPerMillion: 0 } }`,
        ]),
    ...(first === undefined
      ? []
      : [
          '  # Ids name one version, so that answers do not change overnight. Prices and windows: nightmill prices.',
          ...modelOf('small', first.preset, first.small),
          ...modelOf('large', first.preset, first.large),
        ]),
    ...(others.length === 0 ? [] : ['  # Their keys are set too: name them in the cascade to use them.']),
    ...others.flatMap(({ preset, small, large }) => [
      ...modelOf(`${preset}-small`, preset, small),
      ...modelOf(`${preset}-large`, preset, large),
    ]),
    '',
  ];
}

function taskLines({ task, labels, fields }: SetupChoices): readonly string[] {
  const names = labels ?? fields?.labels?.values;
  const column = labels === undefined ? fields?.labels?.column : undefined;
  return (
    tableOf(task)
      .setup?.lines({ names, column })
      .map((line) => `    ${line}`) ?? []
  );
}

/** Columns, where they are not called as the readers expect, and the known label as metadata to compare with. */
function inputLines({ fields }: SetupChoices): readonly string[] {
  if (fields === undefined) return [];
  const parts = [
    ...(fields.text === 'text' ? [] : [`text: ${quoted(fields.text)}`]),
    ...(fields.id === undefined || fields.id === 'id' ? [] : [`id: ${quoted(fields.id)}`]),
    ...(fields.labels === undefined ? [] : [`metadata: [${quoted(fields.labels.column)}]`]),
  ];
  if (parts.length === 0) return [];
  return [
    '    # Which columns are read; those under metadata are copied to the results.',
    `    input: { ${parts.join(', ')} }`,
  ];
}

/** Cheap first, one strong last; the free local model in front where it is good at the task. */
export function cascadeOf({ task, clouds, server, fields }: SetupChoices): readonly TierLine[] {
  const [cloud] = clouds;
  const hasPaid = cloud !== undefined || server !== undefined;
  const speaksEnglish = fields?.isEnglish !== false;
  const tiers: { readonly model: string; readonly acceptAt?: number; readonly why: string }[] = [];
  if (tableOf(task).setup?.startsLocally === true && hasPaid && speaksEnglish) {
    tiers.push({ model: 'local', acceptAt: LOCAL_ACCEPTS_AT, why: 'built in and free; English only' });
  }
  if (server !== undefined) tiers.push({ model: 'own', acceptAt: CHEAP_ACCEPTS_AT, why: 'your own server' });
  if (cloud?.small !== undefined) {
    tiers.push({ model: 'small', acceptAt: CHEAP_ACCEPTS_AT, why: 'cheap: most documents end here' });
  }
  if (cloud !== undefined) tiers.push({ model: 'large', why: 'strong: what the others pass on' });
  if (!hasPaid) tiers.push({ model: 'local', why: 'built in and free; English only' });
  // The last tier takes what it has.
  return tiers.map(({ acceptAt, ...tier }, at) =>
    acceptAt === undefined || tableOf(task).hasNoConfidence === true || at === tiers.length - 1
      ? tier
      : { ...tier, acceptAt },
  );
}

function tierText({ model, acceptAt, why }: TierLine): string {
  const line = `      - { model: ${model}${acceptAt === undefined ? '' : `, acceptAt: ${acceptAt}`} }`;
  return `${line.padEnd(48)} # ${why}`;
}

/** A double-quoted JSON string is a YAML string. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
