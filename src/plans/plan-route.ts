import type { WorkflowHistory } from '../batches/workflow-history.ts';
import { type RoutedDocument, ruleFor, startTier } from '../cascades/route-rules.ts';
import { KIND_CHARS, kindWorkflow } from '../tasks/classify/kind-question.ts';
import { perWorkflow } from '../workflows/per-workflow.ts';
import type { ClassifyWorkflow, WorkflowSpec } from '../workflows/workflow.ts';
import { type CostRange, callCost, type PromptSizes, planDocument, promptSizes, shapeDocument } from './plan.ts';

/** Where a batch's documents would begin. */
export interface RoutePlan {
  readonly by: 'rules' | 'local' | 'model';
  /** `documents`: by their own text and metadata; `history`: as in batches that have finished; `unknown`: nobody has been asked. */
  readonly from: 'documents' | 'history' | 'unknown';
  /** In the order of the cascade, those without documents left out; empty: unknown. */
  readonly starts: readonly { readonly tier: number; readonly model: string; readonly documents: number }[];
}

/** Characters of a token, as often as not. */
const TOKEN_CHARS = 4;

/** Where one document would begin, where its own text and metadata say so; else at the first tier. */
export function plannedStart({ route, cascade }: WorkflowSpec, document: RoutedDocument): number {
  if (route?.by !== 'rules') return 0;
  return startTier(cascade, route.rules[ruleFor(route.rules, document)]?.start ?? route.otherwise);
}

/** What it costs to ask a model for the kind of a document of so many tokens; undefined: no model is asked. */
export function askingCost({ route }: WorkflowSpec, tokens: number): CostRange | undefined {
  if (route?.by !== 'model') return undefined;
  const workflow = kindWorkflow(route, '');
  const { model } = route.tier;
  const shape = shapeDocument(workflow, Math.min(tokens, KIND_CHARS / TOKEN_CHARS));
  return callCost(model, planDocument(workflow, sizesFor(workflow, ''), shape));
}

const sizesFor = perWorkflow((workflow: ClassifyWorkflow, _: ''): PromptSizes => {
  const [tier] = workflow.cascade;
  if (tier === undefined) throw new RangeError('A question for the kind of a document has one tier');
  return promptSizes(workflow, tier.model);
});

/**
 * @param counted documents by tier, as {@link plannedStart} says
 * @param history of this very version of the workflow
 */
export function planRoute(
  { route, cascade }: WorkflowSpec,
  counted: ReadonlyMap<number, number>,
  history: WorkflowHistory | undefined,
): RoutePlan | undefined {
  if (route === undefined) return undefined;
  const documents = [...counted.values()].reduce((sum, count) => sum + count, 0);
  const past = history?.figures?.starts ?? {};
  const pastTotal = Object.values(past).reduce((sum, count) => sum + count, 0);
  const { by } = route;
  const from = by === 'rules' ? 'documents' : pastTotal > 0 ? 'history' : 'unknown';
  const at = (tier: number): number => {
    if (from === 'documents') return counted.get(tier) ?? 0;
    return from === 'history' ? Math.round((documents * (past[tier] ?? 0)) / pastTotal) : 0;
  };
  const starts = cascade
    .map(({ model }, tier) => ({ tier, model: model.name, documents: at(tier) }))
    .filter((start) => start.documents > 0);
  return { by, from, starts };
}
