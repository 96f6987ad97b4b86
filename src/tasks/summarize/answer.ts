import { numbersNotFound } from '../../checks/numbers.ts';
import { checkSummary, isKept } from '../../checks/reply-checks.ts';
import { hasWords, isOfSomethingElse } from '../../checks/words.ts';
import type { Judgement, Question, ReplyText } from '../../prompts/question.ts';
import { countWords } from '../../text/count-words.ts';
import { instructionsOf, type SummarizeWorkflow } from '../../workflows/workflow.ts';
import { hasJsonObject, parseJsonReply, SEVERAL_ANSWERS } from '../parse-json-reply.ts';
import { readFacts } from './facts.ts';
import { budgetNotes, type NoteBudget } from './notes.ts';
import { type NoteSizes, type SummarizeStep, summarizeMessages, writesNotes } from './prompt-v2.ts';
import { readBeginning } from './read-beginning.ts';
import { MIN_PROSE_WORDS, saysNothing, summaryElsewhere, summaryText } from './summary-text.ts';

export interface SummaryAnswer {
  readonly summary: string;
  /** Of a map or combine step; else empty. */
  readonly facts: readonly string[];
}

/** Most languages need under two and a half tokens for a word of a summary. */
const TOKENS_PER_WORD = 2.5;
const JSON_FRAME_TOKENS = 48;
/** Models overshoot a word limit a little; well past it the reply ignored the task. */
const TOLERATED_LENGTH = 1.5;
/** Notes keep more than the summary will, so that the reduce step has something to choose from. */
const NOTES_LENGTH = 1.5;

/** Numbers, names, dates and decisions that a note carries beside its text. */
const FACTS = 10;
const FACT_WORDS = 12;
/** Facts are made of numbers and names, which take more tokens than other words. */
const TOKENS_PER_FACT = 2 * FACT_WORDS;

const SUMMARY_SCHEMA = schemaOf({ summary: { type: 'string' } });
const NOTE_SCHEMA = schemaOf({ summary: { type: 'string' }, facts: { type: 'array', items: { type: 'string' } } });

/** Most words and facts that a step is asked for. */
function summarySizes(workflow: SummarizeWorkflow, step: SummarizeStep): NoteSizes {
  const { maxWords } = workflow.summary;
  const words = writesNotes(step) ? Math.ceil(Math.max(80, maxWords * NOTES_LENGTH)) : maxWords;
  return { words, facts: writesNotes(step) ? FACTS : 0, factWords: FACT_WORDS };
}

/** Tokens that the text and the facts of a step's reply have at most, the JSON around them left out. */
export function noteTokens(
  workflow: SummarizeWorkflow,
  step: SummarizeStep,
): { readonly summaryTokens: number; readonly factTokens: number } {
  const { words, facts } = summarySizes(workflow, step);
  return { summaryTokens: Math.ceil(words * TOKENS_PER_WORD), factTokens: facts * TOKENS_PER_FACT };
}

/**
 * What notes on parts may be, and how many a call reads.
 *
 * @param notesWindow most tokens of notes that one call reads
 */
export function noteBudget(workflow: SummarizeWorkflow, notesWindow: number): NoteBudget {
  return budgetNotes(notesWindow, noteTokens(workflow, 'map'));
}

/** Tokens that the reply of a step has at most. */
export function summaryTokens(workflow: SummarizeWorkflow, step: SummarizeStep): number {
  const tokens = noteTokens(workflow, step);
  return tokens.summaryTokens + tokens.factTokens + JSON_FRAME_TOKENS;
}

/**
 * Asks for one step of a summary.
 *
 * @param context of a map step: what comes before the part, or empty
 */
export function summarizeQuestion(
  workflow: SummarizeWorkflow,
  step: SummarizeStep,
  text: string,
  context = '',
): Question<SummaryAnswer> {
  const sizes = summarySizes(workflow, step);
  return {
    prompt: {
      messages: summarizeMessages(workflow, step, text, sizes, context),
      outputTokens: summaryTokens(workflow, step),
      responseSchema: { name: 'summary', schema: writesNotes(step) ? NOTE_SCHEMA : SUMMARY_SCHEMA },
    },
    judge: (reply) => {
      const source = `${context}\n${text}`;
      const judgement = judgeSummary(reply, sizes.words);
      if (judgement.kind === 'answer') return checkAnswer(workflow, judgement, source);
      const begun = reply.finish === 'length' ? readBeginning(reply.text) : undefined;
      return begun === undefined ? judgement : keepBeginning(workflow, judgement, begun, source);
    },
  };
}

type Answered = Judgement<SummaryAnswer> & { readonly kind: 'answer' };
type Rejected = Judgement<SummaryAnswer> & { readonly kind: 'rejected' };

/** What the workflow says besides the document may stand in the summary as well. */
function checkAnswer(workflow: SummarizeWorkflow, judgement: Answered, text: string): Judgement<SummaryAnswer> {
  const { checks } = workflow;
  const source = `${text}\n${instructionsOf(workflow)}`;
  const { summary, facts } = judgement.value;
  const { language } = workflow.summary;
  if (language === undefined && isOfSomethingElse(summary, source)) {
    const detail = 'next to none of the words of the summary stand in the document';
    return { kind: 'rejected', code: 'words_not_found', detail };
  }
  if (checks === undefined) return judgement;
  const problems = checkSummary(checks, { summary, source, language });
  // A wrong fact is left out rather than repaired: it would be a source to the steps that read the note.
  const value = checks.numbers ? { summary, facts: foundedFacts(facts, source) } : judgement.value;
  const [first] = problems;
  if (first === undefined) return { ...judgement, value };
  const kept = isKept(checks, problems) ? { kept: { value, warnings: problems.map(({ code }) => code) } } : {};
  // What is in the wrong language only needs to be put into the right one.
  const isFormOnly = problems.every(({ code }) => code === 'wrong_language');
  return { kind: 'rejected', ...first, ...kept, ...(isFormOnly ? { isFormOnly } : {}) };
}

/** A reply that was cut off has its whole sentences, in case no whole reply comes. */
function keepBeginning(
  workflow: SummarizeWorkflow,
  judgement: Rejected,
  summary: string,
  source: string,
): Judgement<SummaryAnswer> {
  const value = { summary, facts: [] };
  const checked = checkAnswer(workflow, { kind: 'answer', value, confidence: 1 }, source);
  if (checked.kind === 'answer') return { ...judgement, kept: { value, warnings: ['truncated'] } };
  if (checked.kept === undefined) return judgement;
  return { ...judgement, kept: { value, warnings: ['truncated', ...checked.kept.warnings] } };
}

function foundedFacts(facts: readonly string[], source: string): readonly string[] {
  const missing = numbersNotFound(facts.join('\n'), source);
  return facts.filter((fact) => !missing.some((number) => fact.includes(number)));
}

function schemaOf(properties: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
}

function judgeSummary(reply: ReplyText, maxWords: number): Judgement<SummaryAnswer> {
  const found = parseJsonReply(reply, 'summary');
  const elsewhere = found === undefined ? summaryElsewhere(reply) : undefined;
  if (found === undefined && elsewhere === undefined && !hasJsonObject(reply)) {
    const isFormOnly = reply.finish === 'stop' && countWords(reply.text) >= MIN_PROSE_WORDS && hasWords(reply.text);
    const detail = 'the reply is not a JSON object';
    return { kind: 'rejected', code: 'invalid_json', detail, ...(isFormOnly ? { isFormOnly } : {}) };
  }
  if (found?.kind === 'differing') return { kind: 'rejected', code: 'invalid_shape', detail: SEVERAL_ANSWERS };
  const summary = (elsewhere ?? summaryText(found?.value))?.trim().toWellFormed();
  if (summary === undefined)
    return { kind: 'rejected', code: 'invalid_shape', detail: 'the reply has no "summary" text' };
  if (saysNothing(summary)) return { kind: 'rejected', code: 'empty_summary', detail: 'the summary is empty' };
  const words = countWords(summary);
  if (words > maxWords * TOLERATED_LENGTH + 10) {
    return {
      kind: 'rejected',
      code: 'too_long',
      detail: `the summary has ${words} words; at most ${maxWords} were asked for`,
      isFormOnly: true,
    };
  }
  // A valid summary says nothing about its own quality, so a threshold does not hold it back.
  // A note without facts is still a note: a repair turn would cost more than they are worth.
  return { kind: 'answer', value: { summary, facts: readFacts(found?.object['facts']) }, confidence: 1 };
}
