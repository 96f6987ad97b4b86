import { findSentenceStarts } from '../../text/split-text.ts';
import { countTokens } from '../../text/tokens.ts';
import { mergeFacts } from './facts.ts';

/** What a map or combine call writes for the next one. */
export interface Note {
  readonly summary: string;
  readonly facts: readonly string[];
}

/** Most tokens that a note may fill in the call that reads it. */
export interface NoteBudget {
  readonly summaryTokens: number;
  readonly factTokens: number;
  /** Notes that fit one call; at least 2, so that every level is shorter than the one before. */
  readonly fanIn: number;
}

/** Only runs of spaces and the like have more. */
const MAX_UNITS_PER_TOKEN = 16;
/** Blank lines between notes, and the heading of the facts. */
const FRAME_TOKENS = 8;

/**
 * How large notes may be so that a call of `windowTokens` reads as many as possible, and two at the least: in a window
 * that is too small for two of the usual size, notes are cut.
 */
export function budgetNotes(
  windowTokens: number,
  usual: { readonly summaryTokens: number; readonly factTokens: number },
): NoteBudget {
  const noteTokens = usual.summaryTokens + usual.factTokens + FRAME_TOKENS;
  const fanIn = Math.floor(windowTokens / noteTokens);
  if (fanIn >= 2) return { ...usual, fanIn };
  const share = Math.max(0, windowTokens / 2 - FRAME_TOKENS) / (usual.summaryTokens + usual.factTokens);
  return {
    summaryTokens: Math.floor(usual.summaryTokens * share),
    factTokens: Math.floor(usual.factTokens * share),
    fanIn: 2,
  };
}

/** The note within its budget: whole sentences from the start, and facts that fit. */
export function fitNote(note: Note, budget: NoteBudget): Note {
  return {
    summary: cutToTokens(note.summary, budget.summaryTokens),
    facts: mergeFacts([note.facts], budget.factTokens),
  };
}

/** Of a note on notes: its own text, with the facts that it kept and then those of the notes that it was made from. */
export function combineNotes(written: Note, read: readonly Note[], budget: NoteBudget): Note {
  const facts = mergeFacts(
    read.map((note) => note.facts),
    budget.factTokens,
    written.facts,
  );
  return { summary: cutToTokens(written.summary, budget.summaryTokens), facts };
}

/** Notes on consecutive parts as the text that the next call reads: in order, then all facts, each once. */
export function joinNotes(notes: readonly Note[]): string {
  const facts = mergeFacts(
    notes.map((note) => note.facts),
    Number.POSITIVE_INFINITY,
  );
  const texts = notes.map((note) => note.summary);
  const list = facts.length === 0 ? [] : [`Facts:\n${facts.map((fact) => `- ${fact}`).join('\n')}`];
  return [...texts, ...list].join('\n\n');
}

/** Whole sentences from the start that have at most `maxTokens`; of one that is longer, whole words or less. */
function cutToTokens(text: string, maxTokens: number): string {
  if (countTokens(text) <= maxTokens) return text;
  let end = 0;
  for (const start of findSentenceStarts(text, 0, text.length)) {
    if (countTokens(text.slice(0, start)) > maxTokens) break;
    end = start;
  }
  if (end > 0) return text.slice(0, end).trimEnd();
  let rest = text.slice(0, maxTokens * MAX_UNITS_PER_TOKEN);
  while (countTokens(rest) > maxTokens) rest = rest.slice(0, Math.floor(rest.length * 0.9));
  const space = rest.lastIndexOf(' ');
  return (space > 0 ? rest.slice(0, space) : rest).toWellFormed();
}
