import { priceCall } from '../../src/money/price.ts';
import { NO_USAGE } from '../../src/money/usage.ts';
import { planDocument, promptSizes, shapeDocument } from '../../src/plans/plan.ts';
import { countRequestTokens } from '../../src/requests/estimate.ts';
import { buildModelRequest } from '../../src/requests/model-request.ts';
import { classifyQuestion } from '../../src/tasks/classify/answer.ts';
import { countTokens } from '../../src/text/tokens.ts';
import type { WorkflowSpec } from '../../src/workflows/workflow.ts';
import type { ChaosDocument } from './documents.ts';

const LABEL_TOKENS = 18;
const SUMMARY_OUTPUT_SHARE = 0.4;

/**
 * What these documents cost if the first tier answers all of them, in nano-dollars: a low estimate, so that a limit
 * of a part of it is always reached.
 */
export function estimateCost(workflow: WorkflowSpec, documents: readonly ChaosDocument[]): number {
  const model = workflow.cascade[0]?.model;
  if (model?.price === undefined) throw new Error(`${workflow.name} has no priced first tier`);
  const { price } = model;
  const sizes = promptSizes(workflow, model);
  return documents.reduce((sum, { text }) => {
    if (workflow.task === 'classify') {
      const inputTokens = countRequestTokens(
        buildModelRequest(model, classifyQuestion(workflow, text).prompt, 'first'),
      );
      return sum + priceCall(price, { ...NO_USAGE, inputTokens, outputTokens: LABEL_TOKENS });
    }
    const plan = planDocument(workflow, sizes, shapeDocument(workflow, countTokens(text)));
    const outputTokens = Math.round(plan.outputTokens * SUMMARY_OUTPUT_SHARE);
    return sum + priceCall(price, { ...NO_USAGE, inputTokens: Math.round(plan.inputTokens * 0.8), outputTokens });
  }, 0);
}
