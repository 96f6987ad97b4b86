import type { Config, WorkflowConfig } from '../../config/config.ts';
import { NightmillError } from '../errors.ts';
import { MODEL_WORKFLOW, modelWorkflow, namedModels } from '../workflows/model-workflow.ts';

/**
 * The workflow of requests to one model of the config. Its limits are those of the workflow `models`, where the config has one.
 *
 * @throws {NightmillError} `workflow_unknown`: there is no such model
 */
export function modelWorkflowOf(config: Config, name: string): WorkflowConfig {
  const model = config.models.get(name);
  if (model === undefined || !namedModels(config.models).includes(name)) {
    throw new NightmillError(
      'workflow_unknown',
      `There is no model ${JSON.stringify(name)} that requests can be sent to.`,
    );
  }
  const configured = config.workflows.get(MODEL_WORKFLOW);
  return { budget: {}, timezone: config.timezone, ...configured, spec: modelWorkflow(model) };
}
