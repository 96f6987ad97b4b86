import type { CascadeContext } from '../cascades/ask-cascade.ts';
import type { LocalModel } from '../local-model/local-model.ts';
import type { AnswerWarning } from '../prompts/question.ts';
import type { Tier, WorkflowSpec } from '../workflows/workflow.ts';
import type { DocumentText } from './long-documents/cut-document.ts';
import type { StepPrompts } from './long-documents/document-windows.ts';
import type { TaskResult } from './result-row.ts';
import type { TaskOptions } from './task-options.ts';

/** Everything that one task is. `tasks.ts` has the table of them; nothing else asks which task a workflow has. */
export interface Task<W extends WorkflowSpec> {
  /** Settings that only workflows of this task have. */
  readonly options: TaskOptions<Pick<W, Exclude<keyof W, keyof WorkflowSpec>>>;
  /** Its answers carry no confidence, so that a tier's `acceptAt` would do nothing. Absent: they do. */
  readonly hasNoConfidence?: true;
  /** The local model cannot answer it, so that a cascade may not name it. Absent: it can. */
  readonly needsPaidTiers?: true;
  /** Its documents are requests that are sent as they are: nothing can be added to them, hidden in them or cut from them. Absent: they are texts. */
  readonly sendsAsIs?: true;
  /** Version of its prompts, e.g. `classify-v2`; it changes with their text. */
  readonly promptVersion: string;
  /** Its prompts around an empty text. */
  prompts(workflow: W): StepPrompts;
  /** Tokens of one note that a merging call reads at most; 0 where parts are merged without calls. */
  noteTokens(workflow: W): number;
  /**
   * The calls for a document in `parts` parts, known before the first one.
   *
   * @param notesWindow most tokens of notes that one call reads
   */
  planParts(workflow: W, parts: number, notesWindow: number): PartsPlan;
  /**
   * Answers one document with the paid tiers.
   *
   * @throws {CallFailedError} no tier has an acceptable answer
   */
  answer(context: CascadeContext, workflow: W, document: DocumentText): Promise<TaskAnswer>;
  /** What the local model says of each text, in order. */
  answerLocally(asked: LocalQuestion, workflow: W, texts: readonly string[]): Promise<readonly LocalOutcome[]>;
  /** How a first config states it; absent: `nightmill init` does not offer it. */
  readonly setup?: TaskSetup;
  /** What a digest of many answers needs to know of one. */
  digestPart(result: TaskResult): DigestPart;
  /** Where its answer stands in a table of results. */
  readonly columns: TaskColumns;
  /** Columns that only tables of this workflow have. Absent: none. */
  fieldColumns?(workflow: W): readonly OwnColumn[];
}

export interface DigestPart {
  readonly label?: string;
  /** Absent: the answer says nothing of its own, and the document is read instead. */
  readonly text?: string;
}

/** What `nightmill init` needs to know of a task. */
export interface TaskSetup {
  /** The built-in model is worth asking before a paid one. Absent: only where there is no other. */
  readonly startsLocally?: true;
  /** What a tier leaves to the next one, for people. Absent: what it is not sure of. */
  readonly passesOn?: string;
  /** It chooses among labels. */
  readonly hasLabels?: true;
  /**
   * The task's own settings in YAML, with comments, not indented.
   *
   * @param labels what is known of them: where they come from, if not from the user
   */
  lines(labels: {
    readonly names: readonly string[] | undefined;
    readonly column: string | undefined;
  }): readonly string[];
}

export interface PartsPlan {
  /** Calls that write notes on notes. */
  readonly combines: number;
  /** Calls that write the answer from notes: 0 or 1. */
  readonly reduces: number;
  /** Calls that wait for each other, one after the other. */
  readonly depth: number;
  /** Fewest calls, where parts that agree settle the answer early. */
  readonly leastCalls: number;
}

export interface TaskAnswer {
  readonly result: TaskResult;
  readonly tier: number;
  readonly model: string;
  /** A tier answered under its threshold, because the workflow drains; or the built-in model, while a tier's providers are down. */
  readonly degraded?: boolean;
}

/** An answer as its row has it. */
export interface DocumentResult extends TaskAnswer {
  /** Version and hash of the prompt; absent for the local model. */
  readonly prompt?: string;
}

export interface LocalQuestion {
  readonly local: LocalModel;
  /** Its least confidence; without one every answer is taken. */
  readonly tier: Pick<Tier, 'acceptAt' | 'acceptAtByLabel'>;
  readonly signal: AbortSignal;
  /** Milliseconds, for the time that an answer took. */
  readonly monotonic: () => number;
}

export type LocalOutcome =
  | {
      readonly kind: 'answered';
      readonly result: TaskResult;
      readonly localMs: number;
      readonly warnings?: readonly AnswerWarning[];
    }
  /** The next tier's to answer. `rejection`: what it is counted as. `code` and `message`: the document's error where none is left. */
  | {
      readonly kind: 'unsure';
      readonly rejection?: string;
      readonly code: string;
      readonly message: string;
      /** The answer that it is unsure of. */
      readonly said?: { readonly label: string; readonly confidence: number };
    };

/** `json`: any value, written as JSON text. */
export interface AnswerColumn {
  readonly name: string;
  readonly kind: 'text' | 'integer' | 'double' | 'boolean' | 'json';
}

/** A column that only some tables have, with how its value is read from a row's `result`. */
export interface OwnColumn extends AnswerColumn {
  value(result: Readonly<Record<string, unknown>>): unknown;
}

/** Fields of a row's `result`. Tasks may share a column. */
export interface TaskColumns {
  /** The answer itself: before the model. */
  readonly answer: readonly AnswerColumn[];
  /** How it came about: after the duration. */
  readonly origin?: readonly AnswerColumn[];
  /** What explains it: before the metadata. */
  readonly details?: readonly AnswerColumn[];
}
