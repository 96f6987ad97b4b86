import { STARTED } from '../batches/cost-figures.ts';
import type { SliceEntry } from '../batches/slice-entry.ts';
import type { SliceRun } from '../calls/slice-run.ts';
import { CallFailedError } from '../calls/stop.ts';
import { askCascade } from '../cascades/ask-cascade.ts';
import { AUDITED, type TierAttempt } from '../cascades/attempt-log.ts';
import type { CascadeStage } from '../cascades/cascade-stages.ts';
import { ruleFor, startTier } from '../cascades/route-rules.ts';
import type { DocumentRedactors } from '../redaction/document-redactors.ts';
import { KIND_CHARS, kindQuestion } from '../tasks/classify/kind-question.ts';
import type { RowRoute } from '../tasks/result-row.ts';
import { type AskedRoute, allTiers, type WorkflowSpec } from '../workflows/workflow.ts';
import { type AnswerDocumentContext, checkIsLocal } from './answer-document.ts';
import { isAudited } from './audit-sample.ts';
import type { LocalCalls } from './local-tier.ts';
import type { DocumentEnd } from './slice-rows.ts';

/** What a route says of a document before anybody is asked. `ask`: the model has to be. */
type Known = RowRoute | 'ask' | undefined;

/** Where the documents of a slice begin in the cascade. */
export class Router {
  readonly #context: AnswerDocumentContext;
  readonly #run: SliceRun;
  readonly #workflow: WorkflowSpec;
  readonly #entries: readonly SliceEntry[];
  readonly #known: readonly Known[];

  private constructor(
    context: AnswerDocumentContext,
    run: SliceRun,
    workflow: WorkflowSpec,
    entries: readonly SliceEntry[],
    known: readonly Known[],
  ) {
    this.#context = context;
    this.#run = run;
    this.#workflow = workflow;
    this.#entries = entries;
    this.#known = known;
  }

  /**
   * Decides what needs no call, for the whole slice.
   *
   * @param localCalls gets the documents that the built-in model looked at
   */
  static async open(
    context: AnswerDocumentContext,
    run: SliceRun,
    workflow: WorkflowSpec,
    entries: readonly SliceEntry[],
    localCalls: LocalCalls,
  ): Promise<Router> {
    const known = await knownRoutes(context, run, workflow, entries, localCalls);
    return new Router(context, run, workflow, entries, known);
  }

  /** Whether a call has to be made before it is known where documents begin. */
  get asks(): boolean {
    return this.#known.includes('ask');
  }

  /** Whether the first tier is passed by, as far as that is known without a call. */
  passesBy(index: number): boolean {
    const known = this.#known[index];
    return typeof known === 'object' && this.#startOf(known) > 0;
  }

  /** How the document of an entry was routed without a call; undefined: it was not. */
  knownOf(index: number): RowRoute | undefined {
    const known = this.#known[index];
    return typeof known === 'object' ? known : undefined;
  }

  /**
   * Where the document of an entry begins.
   *
   * @throws {StopError} the slice stops; {DocumentEndedError}: the batch ends
   */
  async route(index: number, redactors: DocumentRedactors): Promise<RowRoute | undefined> {
    const known = this.#known[index];
    return known === 'ask' ? await this.#ask(index, redactors) : known;
  }

  /** The stages that are left for a document. Audited ones go through all of them, as a sample of those that are passed by. */
  stagesFor(stages: readonly CascadeStage[], route: RowRoute | undefined): readonly CascadeStage[] {
    return route === undefined ? stages : stagesFrom(stages, this.#startOf(route));
  }

  #startOf({ tier, audited }: RowRoute): number {
    // The last tier is not asked any more while the workflow drains, and so none before it is passed by.
    return audited === true || this.#run.draining ? 0 : tier;
  }

  async #ask(index: number, redactors: DocumentRedactors): Promise<RowRoute | undefined> {
    const entry = this.#entries[index];
    const { route } = this.#workflow;
    if (entry?.kind !== 'document' || route === undefined || route.by === 'rules') return undefined;
    const tiers = [{ index: routerIndex(this.#workflow), tier: route.tier }];
    try {
      if (this.#workflow.private === true) checkIsLocal(tiers, this.#context.localProviders);
      const context = this.#context;
      const models = this.#workflow.cache === true ? { ...context, cache: context.answers } : context;
      const asked = { models, owner: this.#run, document: index, tiers, redactors, windowShare: 1 };
      const { value, confidence } = await askCascade(asked, kindQuestion(route, entry.document.text));
      return routeByKind(this.#workflow, route, entry.document.id, { label: value.label, confidence });
    } catch (error) {
      if (!(error instanceof CallFailedError)) throw error;
      return routeTo(this.#workflow, entry.document.id, route.otherwise, `failed: ${error.code}`);
    }
  }
}

/** The index that the router's own calls are booked at. */
function routerIndex(workflow: WorkflowSpec): number {
  return allTiers(workflow).length - 1;
}

async function knownRoutes(
  { local }: AnswerDocumentContext,
  run: SliceRun,
  workflow: WorkflowSpec,
  entries: readonly SliceEntry[],
  localCalls: LocalCalls,
): Promise<readonly Known[]> {
  const { route } = workflow;
  if (route === undefined) return entries.map(() => undefined);
  if (route.by === 'model') return entries.map((entry) => (isOwn(entry) ? 'ask' : undefined));
  if (route.by === 'rules') {
    return entries.map((entry) => {
      if (!isOwn(entry)) return undefined;
      const { text, metadata, id } = entry.document;
      const at = ruleFor(route.rules, { text, tokens: entry.tokens, metadata });
      return routeTo(
        workflow,
        id,
        route.rules[at]?.start ?? route.otherwise,
        at === -1 ? 'otherwise' : `rule ${at + 1}`,
      );
    });
  }
  const own = entries.filter(isOwn);
  if (own.length === 0) return entries.map(() => undefined);
  run.begin();
  localCalls.set(routerIndex(workflow), own.length);
  const texts = own.map(({ document }) => document.text.slice(0, KIND_CHARS));
  const answers = await local.classify(route.kinds, texts, run.stopping);
  const byEntry = new Map(own.map((entry, index) => [entry as SliceEntry, answers[index]]));
  return entries.map((entry) => {
    const answer = byEntry.get(entry);
    if (answer === undefined || entry.kind !== 'document') return undefined;
    const confidence = answer.familiar ? answer.confidence : 0;
    return routeByKind(workflow, route, entry.document.id, { label: answer.label, confidence });
  });
}

type OwnEntry = SliceEntry & { readonly kind: 'document' };

/** A document that is asked here; one that takes over another's answer begins nowhere. */
function isOwn(entry: SliceEntry): entry is OwnEntry {
  return entry.kind === 'document' && entry.duplicateOf === undefined && entry.answered === undefined;
}

function routeByKind(
  workflow: WorkflowSpec,
  { start, acceptAt = 0, otherwise }: AskedRoute & { readonly otherwise?: string },
  id: string,
  { label, confidence }: { readonly label: string; readonly confidence: number | undefined },
): RowRoute {
  const isSure = (confidence ?? 0) >= acceptAt;
  const named = isSure && Object.hasOwn(start, label) ? start[label] : undefined;
  const route = routeTo(workflow, id, named ?? otherwise, isSure ? label : `unsure: ${label}`);
  return confidence === undefined ? route : { ...route, confidence: Math.round(confidence * 10_000) / 10_000 };
}

function routeTo(workflow: WorkflowSpec, id: string, start: string | undefined, why: string): RowRoute {
  const tier = startTier(workflow.cascade, start);
  const model = workflow.cascade[tier]?.model.name ?? '';
  return { tier, model, why, ...(tier > 0 && isAudited(workflow, id) ? { audited: true } : {}) };
}

function stagesFrom(stages: readonly CascadeStage[], start: number): readonly CascadeStage[] {
  return stages.flatMap((stage): readonly CascadeStage[] => {
    if (stage.kind === 'local') return stage.index < start ? [] : [stage];
    const tiers = stage.tiers.filter(({ index }) => index >= start);
    return tiers.length === 0 ? [] : [{ ...stage, tiers }];
  });
}

/** Counts by name, for the receipt: where documents began, and what the audit says of those that passed the first tier by. */
export function countRoutes(
  ends: readonly DocumentEnd[],
  attempts: readonly (readonly TierAttempt[])[],
): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  const add = (name: string) => {
    counts[name] = (counts[name] ?? 0) + 1;
  };
  for (const [index, end] of ends.entries()) {
    const { route } = end;
    if (route === undefined) continue;
    add(`${STARTED}${route.tier}`);
    if (route.why.startsWith('failed: ')) add('routeFailed');
    if (route.audited !== true || end.kind !== 'answered' || !('label' in end.answer.result)) continue;
    add('routeAudited');
    const { label } = end.answer.result;
    const earlier = attempts[index]?.find(({ reason, tier }) => reason === AUDITED && tier < route.tier);
    if (earlier?.label === label && earlier.tier !== end.answer.tier) add('routeNeedless');
  }
  return counts;
}
