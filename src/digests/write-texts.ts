import type { CallOwner } from '../calls/call-owner.ts';
import { CallFailedError, StopError, type StopReason } from '../calls/stop.ts';
import type { PaidTiers } from '../cascades/cascade-stages.ts';
import { formatUsd } from '../money/money.ts';
import { DocumentRedactors } from '../redaction/document-redactors.ts';
import { runInSteps } from '../runtime/run-in-steps.ts';
import { settleAll } from '../runtime/settle-all.ts';
import { type AnswerDocumentContext, checkIsLocal } from '../slices/answer-document.ts';
import { MIN_CUT_TOKENS } from '../tasks/long-documents/smallest-window.ts';
import { splitOnOverflow } from '../tasks/long-documents/split-on-overflow.ts';
import { summarizeDocument } from '../tasks/summarize/summarize-document.ts';
import { countTokensInSteps } from '../text/tokens.ts';
import type { SummarizeWorkflow, WorkflowSpec } from '../workflows/workflow.ts';
import type { DigestGroup, DigestTexts } from './digest.ts';
import type { AnswerGroup } from './read-answers.ts';

/** Labels that get a text of their own; the rest are in the figures. */
const MAX_GROUPS = 20;
const MIN_WORDS = 40;
const TOOK_TOO_LONG = 'No text was written: it was not done in ten minutes.';

export type WrittenTexts = Pick<DigestTexts, 'summary' | 'withoutText'> & { readonly groups: readonly DigestGroup[] };

/** Writes a text of at most so many words over another one. */
export type WriteText = (about: string, text: string, maxWords: number, part: number) => Promise<string>;

/**
 * One text for each group and one over them all. What is refused is left out, with the reason; the rest is kept, because
 * it is paid for.
 *
 * @throws {StopError} this process is to end, or has lost the run to another one
 */
export async function writeTexts(
  workflow: WorkflowSpec,
  groups: readonly AnswerGroup[],
  write: WriteText,
): Promise<WrittenTexts> {
  const { maxWords = 0 } = workflow.digest ?? {};
  const [only] = groups;
  if (only === undefined) return { groups: [] };
  if (only.label === '') {
    const told = await attempt(() => write(ABOUT_ALL, joined(only.texts), maxWords, 0));
    return { groups: [], ...(told.kind === 'written' ? { summary: told.text } : { withoutText: told.why }) };
  }
  const groupWords = Math.max(MIN_WORDS, Math.ceil(maxWords / 2));
  const told = await settleAll(
    groups.map(({ label, texts }, index) =>
      index >= MAX_GROUPS || texts.length === 0
        ? Promise.resolve(undefined)
        : attempt(() => write(aboutLabel(workflow, label), joined(texts), groupWords, index)),
    ),
  );
  const written = groups.map(({ label, documents }, index) => {
    const text = told[index];
    return { label, documents, ...(text?.kind === 'written' ? { summary: text.text } : {}) };
  });
  const refused = told.find((text) => text?.kind === 'refused');
  if (refused?.kind === 'refused') return { groups: written, withoutText: refused.why };
  const lines = written.flatMap(({ label, documents, summary }) =>
    summary === undefined ? [] : [`${label} (${documents.toLocaleString('en')} documents): ${summary}`],
  );
  const whole = await attempt(() => write(ABOUT_LABELS, joined(lines), maxWords, groups.length));
  return { groups: written, ...(whole.kind === 'written' ? { summary: whole.text } : { withoutText: whole.why }) };
}

const ABOUT_ALL =
  'The document is a list: each paragraph stands for one of many separate documents. Say what they are about as a whole: the ' +
  'main subjects, what comes up again and again, and what stands out. Do not go through them one by one.';
const ABOUT_LABELS =
  'The document is a list: each paragraph sums up all documents with one label. Say what they are about as a whole, the ' +
  'largest groups first, and what stands out.';

function aboutLabel(workflow: WorkflowSpec, label: string): string {
  const description =
    'labels' in workflow ? workflow.labels.find((each) => each.label === label)?.description : undefined;
  return `${ABOUT_ALL} All of them have the label ${JSON.stringify(label)}${description === undefined ? '' : ` (${description})`}.`;
}

function joined(texts: readonly string[]): string {
  return texts.join('\n\n');
}

type Told =
  | { readonly kind: 'written'; readonly text: string }
  | { readonly kind: 'refused'; readonly why: { readonly code: string; readonly message: string } };

async function attempt(write: () => Promise<string>): Promise<Told> {
  try {
    return { kind: 'written', text: await write() };
  } catch (error) {
    if (error instanceof StopError) return { kind: 'refused', why: whyStopped(error.reason) ?? rethrow(error) };
    if (error instanceof CallFailedError) {
      return { kind: 'refused', why: { code: error.code, message: `No text was written: ${error.message}` } };
    }
    throw error;
  }
}

function rethrow(error: Error): never {
  throw error;
}

/** Undefined: that of this process, so another one goes on. */
function whyStopped(reason: StopReason): { readonly code: string; readonly message: string } | undefined {
  switch (reason.kind) {
    case 'budget': {
      const { scope, limit } = reason.refusal;
      const which = scope.startsWith('batch:') ? "the batch's limit" : `the limit ${scope} of ${formatUsd(limit)}`;
      return { code: 'budget_reached', message: `No text was written: ${which} has no room for it.` };
    }
    case 'provider':
      return {
        code: 'provider_unavailable',
        message: `No text was written: the provider ${reason.provider} could not be used (${reason.hold.reason}).`,
      };
    case 'paused':
      return { code: 'took_too_long', message: TOOK_TOO_LONG };
    default:
      return undefined;
  }
}

/** Has the paid tiers of a workflow write, as a summary of a long document is written: in parts, and from notes on them. */
export function writeWithModels(
  models: AnswerDocumentContext,
  owner: CallOwner,
  workflow: WorkflowSpec,
  tiers: PaidTiers,
): WriteText {
  return async (about, text, maxWords, part) => {
    if (workflow.private === true) checkIsLocal(tiers, models.localProviders);
    const summarize = summarizeWorkflow(workflow, tiers, about, maxWords);
    const redactors = new DocumentRedactors(text);
    const tokens = await runInSteps(countTokensInSteps(text));
    const answer = await splitOnOverflow((windowShare) =>
      summarizeDocument(
        {
          models,
          owner,
          document: part,
          tiers,
          redactors,
          windowShare,
          mayCut: windowShare === 1 && tokens >= MIN_CUT_TOKENS,
        },
        summarize,
        { text, tokens },
      ),
    );
    return 'summary' in answer.result ? answer.result.summary : '';
  };
}

function summarizeWorkflow(
  { name, cascade, ...workflow }: WorkflowSpec,
  tiers: PaidTiers,
  about: string,
  maxWords: number,
): SummarizeWorkflow {
  const language = 'summary' in workflow ? workflow.summary.language : undefined;
  return {
    task: 'summarize',
    name,
    cascade: cascade.filter((_, index) => tiers.some((tier) => tier.index === index)),
    instructions: about,
    // A number that no document has is the worst that a digest can say; what is doubted at the last tier is kept.
    checks: { language: false, numbers: true, names: false, preamble: true, forbidden: [] },
    summary: { maxWords, ...(language === undefined ? {} : { language }) },
  };
}
