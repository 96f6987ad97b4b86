import type { Question } from '../../prompts/question.ts';
import { perWorkflow } from '../../workflows/per-workflow.ts';
import type { AskedRoute, ClassifyWorkflow } from '../../workflows/workflow.ts';
import { classifyQuestion, type LabelAnswer } from './answer.ts';

/** Characters of a document that are shown to tell its kind: all of them would cost what an answer costs. */
export const KIND_CHARS = 4_000;

/** A route as the classification that it is. */
export const kindWorkflow = perWorkflow(
  ({ tier, kinds }: AskedRoute, _: ''): ClassifyWorkflow => ({
    name: 'route',
    task: 'classify',
    cascade: [tier],
    ...kinds,
  }),
);

/** Asks for the kind of a document, by its beginning. */
export function kindQuestion(route: AskedRoute, text: string): Question<LabelAnswer> {
  return classifyQuestion(kindWorkflow(route, ''), text.slice(0, KIND_CHARS).toWellFormed());
}
