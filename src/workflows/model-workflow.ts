import { type ChatWorkflow, LOCAL_MODEL_NAME, type ModelSpec } from './workflow.ts';

/** The workflow of batches that name a model in place of a workflow: its queue, its pauses, and its budget where the config has one of that name. */
export const MODEL_WORKFLOW = 'models';

/** The models that can be named so. What must be hidden from a provider cannot be hidden in a request that is sent as it is. */
export function namedModels(models: ReadonlyMap<string, ModelSpec>): readonly string[] {
  return [...models.values()]
    .filter(({ name, redact }) => name !== LOCAL_MODEL_NAME && redact === undefined)
    .map(({ name }) => name);
}

/** Requests that are sent to this model alone. */
export function modelWorkflow(model: ModelSpec): ChatWorkflow {
  return { name: MODEL_WORKFLOW, task: 'chat', cascade: [{ model }] };
}

/** Every queue that there may be slices in: one a workflow, and that of requests to models. Workers take from all of them unless they are told which. */
export function queuesOf({
  workflows,
  builtIns,
  models,
}: {
  readonly workflows: ReadonlyMap<string, unknown>;
  readonly builtIns: ReadonlyMap<string, unknown>;
  readonly models: ReadonlyMap<string, ModelSpec>;
}): readonly string[] {
  const isOpen = workflows.size > 0 && namedModels(models).length > 0;
  return [...new Set([...workflows.keys(), ...builtIns.keys(), ...(isOpen ? [MODEL_WORKFLOW] : [])])];
}
