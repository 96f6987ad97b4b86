import { monitorEventLoopDelay } from 'node:perf_hooks';
import { runInSteps } from '../../src/runtime/run-in-steps.ts';
import { type ChunkOptions, chunkText, chunkTextInSteps } from '../../src/text/chunk-text.ts';
import { countTokens, countTokensInSteps } from '../../src/text/tokens.ts';
import { printSetting, printTable } from './helpers/table.ts';

export const summary = 'Speed of the chunker on prose and on hostile text, and how long it keeps the event loop';

const PROSE_UNITS = 10_000_000;
const HOSTILE_UNITS = 5_000_000;
const ROUNDS = 3;

const HOSTILE: Readonly<Record<string, string>> = {
  'one line': 'word and more ',
  spaces: ' ',
  'empty lines': '\n',
  '<|endoftext|>': '<|endoftext|>',
  'lone surrogates': '\ud800',
  'zero-width': 'a\u200b',
  'right to left': 'שלום עולם ',
  Chinese: '中文没有空格',
  'combining marks': '\u0301',
  'joined emoji': '👩‍',
};

/** Times are CPU seconds of this process, so that other work on the machine counts little. */
export async function run(): Promise<void> {
  printSetting('Chunker: times are CPU of one process.');
  const prose = makeProse(PROSE_UNITS);
  countTokens('The first count loads the vocabulary.');
  const byLength = (text: string): number => Math.ceil(text.length / 4);
  const speeds = [['work', 'MB/s']];
  for (const maxTokens of [2_000, 25_000, 100_000]) {
    const plain = speed(prose, { maxTokens, count: byLength });
    const exact = speed(prose, { maxTokens, textTokens: Number.POSITIVE_INFINITY });
    const chunks = `chunks of ${maxTokens.toLocaleString('en')} tokens`;
    speeds.push([`${chunks}, tokens not counted`, plain.toFixed(1)], [`${chunks}, counted exactly`, exact.toFixed(1)]);
  }
  speeds.push(['counting alone', megabytesPerSecond(prose, () => countTokens(prose)).toFixed(1)]);
  printTable({ caption: '10 MB of prose', rows: speeds });

  const hostile = [['text', 's', 'chunks']];
  for (const [name, unit] of Object.entries(HOSTILE)) {
    const text = unit.repeat(HOSTILE_UNITS / unit.length);
    const started = process.cpuUsage();
    const chunks = chunkText(text, { maxTokens: 8_000, overlapTokens: 50 });
    hostile.push([name, cpuSeconds(started).toFixed(2), String(chunks.length)]);
  }
  printTable({ caption: '5 MB of hostile text', rows: hostile });

  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  const tokens = await runInSteps(countTokensInSteps(prose));
  await runInSteps(chunkTextInSteps(prose, { maxTokens: 25_000, textTokens: tokens }));
  delays.disable();
  printTable({
    caption: 'How long the event loop is kept while 10 MB are counted and cut',
    rows: [
      ['longest ms', '99 % under ms'],
      [(delays.max / 1e6).toFixed(0), (delays.percentile(99) / 1e6).toFixed(0)],
    ],
  });
}

function speed(text: string, options: ChunkOptions): number {
  return megabytesPerSecond(text, () => chunkText(text, options));
}

function megabytesPerSecond(text: string, work: () => unknown): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const started = process.cpuUsage();
    work();
    best = Math.min(best, cpuSeconds(started));
  }
  return Buffer.byteLength(text) / 1e6 / best;
}

function cpuSeconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
}

/** Chapters, paragraphs, lists and sentences of made-up words, the same every time. */
function makeProse(units: number): string {
  let state = 1;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  const syllables = ['mil', 'ro', 'ten', 'sa', 'vor', 'lin', 'de', 'kan', 'est', 'ui', 'pra', 'gor'];
  const word = (): string => Array.from({ length: 1 + random(4) }, () => syllables[random(12)]).join('');
  const sentence = (): string => `The ${Array.from({ length: 5 + random(18) }, word).join(' ')}.`;
  const paragraph = (): string => Array.from({ length: 2 + random(6) }, sentence).join(' ');
  const parts: string[] = [];
  for (let length = 0; length < units; length += parts.at(-1)?.length ?? 0) {
    const kind = random(40);
    if (kind === 0) parts.push(`## Chapter ${parts.length}\n\n`);
    else if (kind < 6) parts.push(`- ${sentence()}\n`);
    else parts.push(`${paragraph()}\n\n`);
  }
  return parts.join('').slice(0, units);
}
