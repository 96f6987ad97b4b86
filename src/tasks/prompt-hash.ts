import { createHash } from 'node:crypto';
import { PLACEHOLDER_RULE } from '../redaction/redact-prompt.ts';
import { REPAIR_WORDS } from '../requests/repair-prompt.ts';
import { modelsOfTier, type WorkflowSpec } from '../workflows/workflow.ts';
import { taskOf } from './tasks.ts';

export interface PromptIdentity {
  readonly version: string;
  readonly sha256: string;
}

const known = new WeakMap<WorkflowSpec, PromptIdentity>();

/** Version and hash of everything that a workflow says to a model besides the document. */
export function promptIdentity(workflow: WorkflowSpec): PromptIdentity {
  let identity = known.get(workflow);
  if (identity === undefined) {
    identity = identify(workflow);
    known.set(workflow, identity);
  }
  return identity;
}

/** The identity as rows carry it, e.g. `summarize-v2@1a2b3c4d`: the first eight digits of the manifest's hash. */
export function promptTag(workflow: WorkflowSpec): string {
  const { version, sha256 } = promptIdentity(workflow);
  return `${version}@${sha256.slice(0, 8)}`;
}

function identify(workflow: WorkflowSpec): PromptIdentity {
  const task = taskOf(workflow);
  const { single, part, merges } = task.prompts(workflow);
  const prompts = [single, part, ...(merges === undefined ? [] : [merges.combine, merges.reduce])];
  const told = workflow.cascade.flatMap(({ model }, tier) =>
    model.instructions === undefined ? [] : [`${tier}: ${model.instructions}`],
  );
  const redacts = workflow.cascade.flatMap(modelsOfTier).some(({ redact }) => redact !== undefined);
  const said = [...prompts, ...REPAIR_WORDS, ...(redacts ? [PLACEHOLDER_RULE] : []), ...told];
  return {
    version: task.promptVersion,
    sha256: createHash('sha256').update(JSON.stringify(said)).digest('hex'),
  };
}
