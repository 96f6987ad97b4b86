import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { catalogueHint } from '../../config/catalogue.ts';
import { hasBudget } from '../../config/load.ts';
import { openDocumentParser } from '../adapters/document-parser/open-document-parser.ts';
import { openStore } from '../adapters/open-store.ts';
import { type App, workflowOf } from '../app.ts';
import { requirePrices, type Submitted, submitBatch } from '../batches/submit-batch.ts';
import type { DocumentInput, InputReading } from '../documents/document-input.ts';
import { spoolStandardInput } from '../documents/spool-standard-input.ts';
import { NightmillError } from '../errors.ts';
import { type NanoUsd, usdToNano } from '../money/money.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { batchTimezones } from './batch-timezones.ts';
import { type InputFlags, readingOf, readMaxDocuments } from './input-options.ts';
import { readDeadline } from './read-deadline.ts';

export interface SubmitFlags extends InputFlags {
  readonly workflow: string;
  readonly id?: string;
  readonly budget?: string;
  readonly tenant?: string;
  readonly priority?: string;
  readonly deadline?: string;
  readonly skipInvalid?: boolean;
}

const PRIORITY_MOST = 2_000_000;
const TENANT = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** What `run` and `submit` share: flags to a stored and enqueued batch. */
export async function submitInputs(
  app: App,
  inputs: readonly string[],
  flags: SubmitFlags,
  signal?: AbortSignal,
): Promise<Submitted> {
  const { config } = app;
  const workflow = workflowOf(config, flags.workflow);
  const budget = readBudget(flags.budget);
  const tenant = readTenant(flags.tenant);
  const deadline = readDeadline(flags.deadline, app.clock.now());
  requirePrices(workflow.spec, hasBudget(config, workflow, budget), (model) => {
    const provider = config.providers.get(model.provider);
    return provider === undefined ? undefined : catalogueHint(provider.baseUrl, model.id);
  });
  await using opened = await openInputs(
    { folder: config.folder, openStore: (url) => openStore({ ...config.store, url }) },
    inputs,
    readingOf(flags, workflow.input),
    signal,
  );
  return await submitBatch(app.submit, {
    inputs: opened.inputs,
    inputNames: inputs,
    workflow: workflow.spec,
    timezones: batchTimezones(config, flags.workflow),
    ...(flags.id === undefined ? {} : { id: flags.id }),
    ...(tenant === undefined ? {} : { tenant }),
    priority: readPriority(flags.priority),
    ...(deadline === undefined ? {} : { deadline }),
    ...batchLimit(budget ?? workflow.budget.batch),
    isBudgetStated: budget !== undefined,
    skipInvalid: flags.skipInvalid === true,
    maxDocuments: readMaxDocuments(flags.maxDocuments),
    ...config.ingest,
    onSummary: ({ ignored, ignoredExamples }) => {
      if (ignored > 0) {
        process.stderr.write(
          `nightmill: ${ignored} files of other types were left out (${ignoredExamples.join(', ')}).\n`,
        );
      }
    },
    ...(signal === undefined ? {} : { signal }),
  });
}

function batchLimit(budget: NanoUsd | undefined): { budget: NanoUsd } | Record<string, never> {
  return budget === undefined ? {} : { budget };
}

/**
 * Dollars as people write them, `5` or `$5.00`, in nano-dollars.
 *
 * @throws {NightmillError} `usage`
 */
export function readBudget(text: string | undefined): NanoUsd | undefined {
  if (text === undefined) return undefined;
  try {
    return usdToNano(text.replace(/^\$/, ''));
  } catch (error) {
    throw new NightmillError('usage', (error as Error).message);
  }
}

function readTenant(text: string | undefined): string | undefined {
  if (text === undefined || TENANT.test(text)) return text;
  throw new NightmillError(
    'usage',
    `Cannot use ${JSON.stringify(text)} as a tenant: use letters, digits, - and _, at most 64.`,
  );
}

function readPriority(text: string | undefined): number {
  const priority = Number(text ?? 0);
  if (Number.isInteger(priority) && priority >= 0 && priority <= PRIORITY_MOST) return priority;
  throw new NightmillError(
    'usage',
    `Cannot use ${JSON.stringify(text)} as a priority: use a whole number from 0 (first) to ${PRIORITY_MOST}.`,
  );
}

interface InputContext {
  /** `.nightmill`, for what is kept for a while. */
  readonly folder: string;
  /** Another bucket is read with the same endpoint and credentials as the store. */
  readonly openStore: (url: string) => Promise<ObjectStore>;
}

interface OpenedInputs extends AsyncDisposable {
  readonly inputs: readonly DocumentInput[];
}

/** Names on the command line to inputs; standard input is kept in a file, because it is read twice. */
export async function openInputs(
  context: InputContext,
  names: readonly string[],
  options: Omit<InputReading, 'parser'> = {},
  signal?: AbortSignal,
): Promise<OpenedInputs> {
  await using stack = new AsyncDisposableStack();
  // Submission ends before the work on a batch begins, but a hostile file must not stop the command: see the parser.
  const reading = { ...options, parser: stack.use(openDocumentParser()) };
  const inputs: DocumentInput[] = [];
  for (const name of names) {
    if (name === '-') {
      if (inputs.some((input) => input.kind === 'spooled'))
        throw new NightmillError('usage', 'Standard input (-) can be named only once.');
      const path = await spoolStandardInput(process.stdin, join(context.folder, 'tmp'), signal);
      stack.defer(() => rm(path, { force: true }));
      inputs.push({ kind: 'spooled', path, reading });
    } else if (name.startsWith('s3://')) {
      inputs.push({ kind: 'store', ...(await openPrefix(context, name, stack)), reading });
    } else {
      inputs.push({ kind: 'path', path: name, reading });
    }
  }
  const kept = stack.move();
  return { inputs, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

async function openPrefix(context: InputContext, name: string, stack: AsyncDisposableStack) {
  const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(name) ?? [];
  if (bucket === '') throw new NightmillError('usage', `Cannot read ${name}: write s3://bucket/prefix.`);
  const store = await context.openStore(`s3://${bucket}`);
  stack.defer(() => store.close());
  return { store, prefix };
}
