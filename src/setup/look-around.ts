import type { Environment } from '../../config/interpolate.ts';
import { loadConfigValue } from '../../config/load.ts';
import { openDocumentParser } from '../adapters/document-parser/open-document-parser.ts';
import { probeProvider, probeWindow } from '../adapters/provider-probe.ts';
import { ParseError } from '../documents/document-parser.ts';
import { kindOfPath, openFile } from '../documents/open-input.ts';
import { randomAccessOfFile } from '../documents/random-access.ts';
import { readDocuments } from '../documents/read-documents.ts';
import { NightmillError } from '../errors.ts';
import { openInputs } from '../operations/open-inputs.ts';
import { CLOUD_CHOICES, type CloudChoice, LOCAL_SERVERS, type LocalServer } from './known-models.ts';
import { type FieldProposal, proposeFields, type SampleRow } from './propose-fields.ts';
import { rowsOfCsv, rowsOfJsonl, SAMPLE_ROWS } from './sample-rows.ts';

/** What is there to make a first config of. */
export interface Surroundings {
  /** Clouds whose keys are set and of which a model can be named. */
  readonly clouds: readonly CloudChoice[];
  /** Clouds whose keys are set, and what has to be written by hand. */
  readonly byHand: readonly CloudChoice[];
  /** The first server on this machine that names a model which can answer. */
  readonly server?: FoundServer;
  /** Servers that answer and name none, because none is loaded. */
  readonly empty: readonly LocalServer[];
}

export interface FoundServer extends LocalServer {
  readonly modelId: string;
  /** Absent: it does not say. */
  readonly contextTokens?: number;
}

/** Models that turn texts into figures, or sounds into texts: they answer no question. */
const ANSWERS_NOTHING = /embed|rerank|minilm|\bbge\b|\bgte\b|\be5\b|whisper|\btts\b/i;
/** A smaller one leaves no room for a question and a document. */
const MIN_WINDOW_TOKENS = 2_048;

/** Enough for a hundred documents of most files. */
const SAMPLE_BYTES = 4 * 1024 * 1024;

/**
 * Looks for keys in the environment and asks the usual addresses of this machine for their models. Keys are neither
 * read further nor sent.
 *
 * @param servers where to ask
 */
export async function lookAround(
  env: Environment,
  servers: readonly LocalServer[] = LOCAL_SERVERS,
): Promise<Surroundings> {
  const set = CLOUD_CHOICES.filter(({ key }) => (env[key] ?? '') !== '');
  const found = await Promise.all(servers.map(askServer));
  const server = found.find((each) => each?.modelId !== undefined);
  return {
    clouds: set.filter(({ large }) => large !== undefined),
    byHand: set.filter(({ byHand }) => byHand !== undefined),
    ...(server?.modelId === undefined ? {} : { server: { ...server, modelId: server.modelId } }),
    empty: servers.filter((_, index) => found[index] !== undefined && found[index].modelId === undefined),
  };
}

async function askServer(server: LocalServer): Promise<(LocalServer & Partial<FoundServer>) | undefined> {
  try {
    const { status, models, onlyModel, windows, isList } = await probeProvider({
      kind: 'openai',
      baseUrl: server.baseUrl,
      headers: {},
    });
    const modelId = onlyModel ?? models?.find((name) => !ANSWERS_NOTHING.test(name));
    if (modelId === undefined) return status === 200 && isList === true ? server : undefined;
    const window = windows?.get(modelId) ?? (await probeWindow(server));
    const known = window !== undefined && window >= MIN_WINDOW_TOKENS ? { contextTokens: window } : {};
    return { ...server, modelId, ...known };
  } catch {
    return undefined; // Nothing listens there, or something else does.
  }
}

/**
 * What the first documents of an input say about how to read it.
 *
 * @returns undefined where nothing in it looks like text
 * @throws {NightmillError} `input_invalid`: it cannot be read
 */
export async function proposeFor(input: string, cwd: string): Promise<FieldProposal | undefined> {
  const rows = await sampleRows(input, cwd);
  if (rows.length === 0) {
    throw new NightmillError('input_invalid', `Cannot propose anything from ${input}: no document was found in it.`);
  }
  return proposeFields(rows);
}

async function sampleRows(input: string, cwd: string): Promise<readonly SampleRow[]> {
  if (/\.parquet$/i.test(input) && !input.startsWith('s3://')) return await rowsOfParquet(input);
  const [, format] = /\.(jsonl|ndjson|json|csv|tsv)(?:\.gz|\.zst)?$/i.exec(input) ?? [];
  if (format === undefined || (await kindOfPath(input)) === 'folder') return await sampleDocuments(input, cwd);
  const bytes = await firstBytes(input);
  return /^[ct]sv$/i.test(format) ? rowsOfCsv(bytes) : rowsOfJsonl(new TextDecoder().decode(bytes));
}

/** @throws {NightmillError} `input_invalid` */
async function rowsOfParquet(path: string): Promise<readonly SampleRow[]> {
  await using parser = openDocumentParser();
  await using file = await randomAccessOfFile(path, path);
  const found: SampleRow[] = [];
  try {
    const table = await parser.openParquet(file);
    const { columns } = table;
    for await (const chunk of table.rows(columns.map((_, at) => at))) {
      found.push(...chunk.map((values) => Object.fromEntries(columns.map((name, at) => [name, plain(values[at])]))));
      if (found.length >= SAMPLE_ROWS) break;
    }
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw new NightmillError('input_invalid', `Cannot read ${path} as Parquet: ${error.message}.`, { cause: error });
  }
  return found.slice(0, SAMPLE_ROWS);
}

/** Whole numbers of a table are too large for a number only in theory. */
function plain(value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

async function firstBytes(path: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of openFile(path, path)) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= SAMPLE_BYTES) break;
  }
  return Buffer.concat(chunks);
}

/** Other formats have their text in one place, so there are no columns to choose from. */
async function sampleDocuments(input: string, cwd: string): Promise<readonly SampleRow[]> {
  const config = loadConfigValue({ workflows: {} }, { env: {}, cwd });
  await using opened = await openInputs(config, { names: [input] }, { fields: { metadata: '*' } });
  const rows: SampleRow[] = [];
  const options = { maxLineBytes: config.ingest.maxLineBytes };
  for await (const entry of readDocuments(opened.inputs, options)) {
    if (entry.kind !== 'problem') rows.push({ text: entry.document.text });
    if (rows.length === SAMPLE_ROWS) break;
  }
  return rows;
}
